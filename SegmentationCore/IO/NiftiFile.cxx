// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "NiftiFile.h"

#include "vtkType.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

namespace segcore
{

namespace
{

constexpr std::size_t Header1 = 348;
constexpr std::size_t Header2 = 540;

// Numbers at their offsets in the header, in the file's byte order.
class Fields
{
public:
  Fields(const std::vector<unsigned char>& bytes, bool swap) : Bytes(bytes), Swap(swap) {}

  template <class T>
  T get(std::size_t offset) const
  {
    unsigned char raw[sizeof(T)];
    std::memcpy(raw, this->Bytes.data() + offset, sizeof(T));
    if (this->Swap)
    {
      std::reverse(raw, raw + sizeof(T));
    }
    T value;
    std::memcpy(&value, raw, sizeof(T));
    return value;
  }

private:
  const std::vector<unsigned char>& Bytes;
  bool Swap;
};

std::int32_t firstNumber(const std::vector<unsigned char>& start, bool swap)
{
  return start.size() < 4 ? 0 : Fields(start, swap).get<std::int32_t>(0);
}

// What both versions of the header say.
struct Header
{
  Index dim[8];
  double pixdim[8];
  int datatype;
  double offset;
  double slope;
  double intercept;
  int units;
  int qformCode;
  int sformCode;
  double quatern[6]; // b, c, d, offsets x, y, z
  double sform[3][4];
  bool single; // header and data in one file
};

} // namespace

//----------------------------------------------------------------------------
bool looksLikeNifti(const std::vector<unsigned char>& start)
{
  for (const bool swap : { false, true })
  {
    const std::int32_t first = firstNumber(start, swap);
    if ((first == 348 && start.size() >= Header1) || (first == 540 && start.size() >= Header2))
    {
      return true;
    }
  }
  return false;
}

//----------------------------------------------------------------------------
VolumeFile openNifti(const std::string& path)
{
  bool compressed = false;
  const std::vector<unsigned char> start = readStart(path, Header2, compressed);
  if (!looksLikeNifti(start))
  {
    throw FileError(path +
      ": is not a NIfTI file (its first number is neither 348 nor 540, or it is"
      " shorter than that)");
  }
  const std::int32_t first = firstNumber(start, false);
  const bool swap = first != 348 && first != 540;
  const bool version2 = firstNumber(start, swap) == 540;
  const Fields fields(start, swap);

  Header header;
  const char* magic = reinterpret_cast<const char*>(start.data()) + (version2 ? 4 : 344);
  const std::string kind(magic, strnlen(magic, 4));
  header.single = kind == (version2 ? "n+2" : "n+1");
  if (!header.single && kind != (version2 ? "ni2" : "ni1"))
  {
    throw FileError(path +
      ": no NIfTI magic word found (an Analyze 7.5 header?); such files do not say"
      " which side is left, convert to NIfTI first");
  }
  if (version2)
  {
    header.datatype = fields.get<std::int16_t>(12);
    for (std::size_t i = 0; i < 8; ++i)
    {
      header.dim[i] = fields.get<std::int64_t>(16 + 8 * i);
      header.pixdim[i] = fields.get<double>(104 + 8 * i);
    }
    header.offset = static_cast<double>(fields.get<std::int64_t>(168));
    header.slope = fields.get<double>(176);
    header.intercept = fields.get<double>(184);
    header.qformCode = fields.get<std::int32_t>(344);
    header.sformCode = fields.get<std::int32_t>(348);
    for (std::size_t i = 0; i < 6; ++i)
    {
      header.quatern[i] = fields.get<double>(352 + 8 * i);
    }
    for (std::size_t i = 0; i < 12; ++i)
    {
      header.sform[i / 4][i % 4] = fields.get<double>(400 + 8 * i);
    }
    header.units = fields.get<std::int32_t>(500);
  }
  else
  {
    for (std::size_t i = 0; i < 8; ++i)
    {
      header.dim[i] = fields.get<std::int16_t>(40 + 2 * i);
      header.pixdim[i] = static_cast<double>(fields.get<float>(76 + 4 * i));
    }
    header.datatype = fields.get<std::int16_t>(70);
    header.offset = static_cast<double>(fields.get<float>(108));
    header.slope = static_cast<double>(fields.get<float>(112));
    header.intercept = static_cast<double>(fields.get<float>(116));
    header.units = start[123];
    header.qformCode = fields.get<std::int16_t>(252);
    header.sformCode = fields.get<std::int16_t>(254);
    for (std::size_t i = 0; i < 6; ++i)
    {
      header.quatern[i] = static_cast<double>(fields.get<float>(256 + 4 * i));
    }
    for (std::size_t i = 0; i < 12; ++i)
    {
      header.sform[i / 4][i % 4] = static_cast<double>(fields.get<float>(280 + 4 * i));
    }
  }

  VolumeFile volume;
  VoxelFile& voxels = volume.voxels;
  int colorComponents = 1;
  switch (header.datatype)
  {
    case 2:
      voxels.scalarType = VTK_UNSIGNED_CHAR;
      break;
    case 4:
      voxels.scalarType = VTK_SHORT;
      break;
    case 8:
      voxels.scalarType = VTK_INT;
      break;
    case 16:
      voxels.scalarType = VTK_FLOAT;
      break;
    case 64:
      voxels.scalarType = VTK_DOUBLE;
      break;
    case 128:
      voxels.scalarType = VTK_UNSIGNED_CHAR;
      colorComponents = 3;
      break;
    case 256:
      voxels.scalarType = VTK_SIGNED_CHAR;
      break;
    case 512:
      voxels.scalarType = VTK_UNSIGNED_SHORT;
      break;
    case 768:
      voxels.scalarType = VTK_UNSIGNED_INT;
      break;
    case 1024:
      voxels.scalarType = VTK_TYPE_INT64;
      break;
    case 1280:
      voxels.scalarType = VTK_TYPE_UINT64;
      break;
    case 2304:
      voxels.scalarType = VTK_UNSIGNED_CHAR;
      colorComponents = 4;
      break;
    default:
      throw FileError(path + ": NIfTI data type " + std::to_string(header.datatype) +
        " found; integers, float, double and RGB(A) of 8 bits can be read, complex, bits and long"
        " double cannot");
  }

  // dim[0] axes: x, y, z, time, components, ...
  const Index axes = header.dim[0];
  if (axes < 1 || axes > 7)
  {
    throw FileError(path + ": " + std::to_string(axes) + " axes found, 1 to 7 are possible");
  }
  Index size[8] = { 0, 1, 1, 1, 1, 1, 1, 1 };
  for (Index i = 1; i <= axes; ++i)
  {
    // Zero is written by some programs for axes that are not used.
    size[i] = i > 3 && header.dim[i] == 0 ? 1 : header.dim[i];
    if (size[i] < 1 || size[i] > VTK_INT_MAX)
    {
      throw FileError(path + ": axis " + std::to_string(i) + " has the size " +
        std::to_string(header.dim[i]) + ", 1 or more is needed");
    }
  }
  if (size[4] > 1)
  {
    throw FileError(path + ": a time series of " + std::to_string(size[4]) +
      " volumes; time series are not supported, extract one volume first");
  }
  if (size[6] > 1 || size[7] > 1 || (size[5] > 1 && colorComponents > 1))
  {
    throw FileError(path +
      ": more than one axis beside the three of space is in use, one (components)"
      " is possible");
  }
  if (colorComponents > 1)
  {
    voxels.sizes = { colorComponents, size[1], size[2], size[3] };
    voxels.componentAxis = 0;
  }
  else
  {
    voxels.sizes = { size[1], size[2], size[3] };
    if (size[5] > 1)
    {
      voxels.sizes.push_back(size[5]);
      voxels.componentAxis = 3;
    }
  }
  for (int a = 0; a < 3; ++a)
  {
    voxels.spatialAxis[a] = a + (colorComponents > 1 ? 1 : 0);
  }

  double (&m)[3][4] = volume.geometry.matrix;
  if (header.sformCode > 0)
  {
    for (int row = 0; row < 3; ++row)
    {
      std::copy_n(header.sform[row], 4, m[row]);
    }
  }
  else
  {
    double spacing[3];
    for (int a = 0; a < 3; ++a)
    {
      const double given = std::abs(header.pixdim[a + 1]);
      spacing[a] = a < axes && std::isfinite(given) && given > 0.0 ? given : 1.0;
    }
    if (header.qformCode > 0)
    {
      // Rotation of the unit quaternion (a, b, c, d), a >= 0 not stored; qfac -1 turns the third
      // axis.
      double b = header.quatern[0];
      double c = header.quatern[1];
      double d = header.quatern[2];
      double rest = 1.0 - (b * b + c * c + d * d);
      if (!(rest > 1.0e-7)) // numerically a half turn
      {
        const double norm = std::sqrt(b * b + c * c + d * d);
        b /= norm;
        c /= norm;
        d /= norm;
        rest = 0.0;
      }
      const double a = std::sqrt(rest);
      const double rotation[3][3] = {
        { a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c) },
        { 2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b) },
        { 2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b },
      };
      const double qfac = header.pixdim[0] < 0.0 ? -1.0 : 1.0;
      for (int row = 0; row < 3; ++row)
      {
        for (int column = 0; column < 3; ++column)
        {
          m[row][column] = rotation[row][column] * spacing[column] * (column == 2 ? qfac : 1.0);
        }
        m[row][3] = header.quatern[3 + row];
      }
    }
    else
    {
      for (int a = 0; a < 3; ++a)
      {
        m[a][a] = a < 2 ? -spacing[a] : spacing[a]; // LPS
      }
    }
  }
  const int lengthUnit = header.units & 7;
  const double scale = lengthUnit == 1 ? 1000.0 : lengthUnit == 3 ? 0.001 : 1.0;
  for (auto& row : m)
  {
    for (double& value : row)
    {
      value *= scale;
    }
  }
  volume.geometry.check(path);

  if (header.slope != 0.0 && std::isfinite(header.slope) && std::isfinite(header.intercept) &&
    colorComponents == 1)
  {
    volume.slope = header.slope;
    volume.intercept = header.intercept;
  }

  voxels.swapBytes = swap;
  voxels.path = path;
  if (!header.single)
  {
    // name.hdr or name.hdr.gz: the voxels are in name.img or name.img.gz beside it.
    std::string stem = path;
    if (hasEnding(stem, ".gz"))
    {
      stem.resize(stem.size() - 3);
    }
    if (!hasEnding(stem, ".hdr"))
    {
      throw FileError(
        path + ": a NIfTI header without voxels has to be named .hdr, beside an .img");
    }
    const bool upper = stem.back() == 'R';
    stem.replace(stem.size() - 4, 4, upper ? ".IMG" : ".img");
    std::error_code error;
    voxels.path =
      std::filesystem::exists(std::filesystem::u8path(stem), error) ? stem : stem + ".gz";
    readStart(voxels.path, 1, compressed);
  }
  const double least = header.single ? (version2 ? 544.0 : 352.0) : 0.0;
  double offset = header.offset;
  if (header.single && offset == 0.0)
  {
    offset = least; // not set
  }
  // Some writers let the data begin right after the 348 bytes.
  if (!(offset >= (header.single ? least - 4.0 : 0.0)) || offset > 9.0e15 ||
    offset != std::floor(offset))
  {
    throw FileError(path + ": the voxels are said to begin at byte " +
      std::to_string(header.offset) + ", " + std::to_string(static_cast<Index>(least)) +
      " or more is needed");
  }
  voxels.encoding = compressed ? Encoding::Gzip : Encoding::Raw;
  (compressed ? voxels.decodedSkip : voxels.offset) = static_cast<Index>(offset);
  voxels.check();
  return volume;
}

} // namespace segcore
