// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "VolumeFile.h"

#include "NiftiFile.h"
#include "NrrdFile.h"

#include <algorithm>
#include <cmath>

namespace segcore
{

//----------------------------------------------------------------------------
void IndexToWorld::spacing(double result[3]) const
{
  for (int column = 0; column < 3; ++column)
  {
    result[column] = std::sqrt(this->matrix[0][column] * this->matrix[0][column] +
      this->matrix[1][column] * this->matrix[1][column] +
      this->matrix[2][column] * this->matrix[2][column]);
  }
}

//----------------------------------------------------------------------------
void IndexToWorld::direction(double result[9]) const
{
  double length[3];
  this->spacing(length);
  for (int row = 0; row < 3; ++row)
  {
    for (int column = 0; column < 3; ++column)
    {
      result[3 * row + column] = this->matrix[row][column] / length[column];
    }
  }
}

//----------------------------------------------------------------------------
void IndexToWorld::origin(double result[3]) const
{
  for (int row = 0; row < 3; ++row)
  {
    result[row] = this->matrix[row][3];
  }
}

//----------------------------------------------------------------------------
void IndexToWorld::setFrom(
  const double origin[3], const double spacing[3], const double direction[9])
{
  for (int row = 0; row < 3; ++row)
  {
    for (int column = 0; column < 3; ++column)
    {
      this->matrix[row][column] = direction[3 * row + column] * spacing[column];
    }
    this->matrix[row][3] = origin[row];
  }
}

//----------------------------------------------------------------------------
void IndexToWorld::position(const double index[3], double result[3]) const
{
  for (int row = 0; row < 3; ++row)
  {
    result[row] = this->matrix[row][0] * index[0] + this->matrix[row][1] * index[1] +
      this->matrix[row][2] * index[2] + this->matrix[row][3];
  }
}

//----------------------------------------------------------------------------
void IndexToWorld::check(const std::string& path) const
{
  for (const auto& row : this->matrix)
  {
    for (const double value : row)
    {
      if (!std::isfinite(value))
      {
        throw FileError(path +
          ": the position or the axes of the volume contain a number that is not"
          " finite");
      }
    }
  }
  double length[3];
  this->spacing(length);
  double d[9];
  this->direction(d);
  const double determinant = d[0] * (d[4] * d[8] - d[5] * d[7]) -
    d[1] * (d[3] * d[8] - d[5] * d[6]) + d[2] * (d[3] * d[7] - d[4] * d[6]);
  if (!(length[0] > 0.0 && length[1] > 0.0 && length[2] > 0.0) ||
    !(std::abs(determinant) > 1.0e-6) || !std::isfinite(length[0] + length[1] + length[2]))
  {
    throw FileError(path +
      ": the axes of the volume do not span space (one is zero, or all lie in one"
      " plane)");
  }
}

//----------------------------------------------------------------------------
bool hasEnding(const std::string& path, const std::string& ending)
{
  if (path.size() < ending.size())
  {
    return false;
  }
  for (std::size_t i = 0; i < ending.size(); ++i)
  {
    char c = path[path.size() - ending.size() + i];
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (c != ending[i])
    {
      return false;
    }
  }
  return true;
}

namespace
{
bool beginsLikeNrrd(const std::vector<unsigned char>& start)
{
  static const char magic[] = "NRRD000";
  return start.size() >= 7 && std::equal(magic, magic + 7, start.begin());
}
}

//----------------------------------------------------------------------------
VolumeFile openVolume(const std::string& path, const OpenOptions& options)
{
  bool compressed = false;
  const std::vector<unsigned char> start = readStart(path, 540, compressed);
  if (!compressed && beginsLikeNrrd(start))
  {
    return openNrrd(path, options);
  }
  if (looksLikeNifti(start))
  {
    return openNifti(path);
  }
  throw FileError(path + ": begins neither like an NRRD nor like a NIfTI file");
}

//----------------------------------------------------------------------------
bool isVolume(const std::string& path)
{
  try
  {
    bool compressed = false;
    const std::vector<unsigned char> start = readStart(path, 540, compressed);
    return (!compressed && beginsLikeNrrd(start)) || looksLikeNifti(start);
  }
  catch (const std::exception&)
  {
    return false;
  }
}

} // namespace segcore
