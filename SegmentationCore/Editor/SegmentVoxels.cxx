// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "SegmentVoxels.h"

#include "Buffer.h"
#include "EditSession.h"
#include "vtkLabelSegmentTable.h"

// clang-format off
#include <vtk_nlohmannjson.h>
#include VTK_NLOHMANN_JSON(json.hpp)
// clang-format on

#include <algorithm>
#include <stdexcept>

namespace segcore
{
namespace
{
using Json = nlohmann::ordered_json;

/// Voxels beyond which an imported piece is refused: one byte each is held.
constexpr double MostVoxels = 1e12;

std::vector<double> numbers(const Json& json, const char* key, std::size_t count)
{
  std::vector<double> values;
  try
  {
    values = json.at(key).get<std::vector<double>>();
  }
  catch (const Json::exception&)
  {
    values.clear();
  }
  if (values.size() != count)
  {
    throw std::invalid_argument(
      std::string("Voxels: '") + key + "' must be " + std::to_string(count) + " numbers");
  }
  return values;
}

/// The runs of a piece as a mask.
std::vector<std::uint8_t> decode(const Json& runs, const Box& box, const std::string& where)
{
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(box.size()), 0);
  Index at = 0;
  bool inside = false;
  for (const Json& run : runs)
  {
    const bool good =
      run.is_number_unsigned() || (run.is_number_integer() && run.get<Index>() >= 0);
    const Index length = good ? run.get<Index>() : Index{ -1 };
    if (length < 0 || length > box.size() - at)
    {
      throw std::invalid_argument(where + ": 'runs' do not fit into 'extent'");
    }
    if (inside)
    {
      std::fill_n(mask.begin() + at, length, std::uint8_t{ 1 });
    }
    at += length;
    inside = !inside;
  }
  return mask;
}
}

//------------------------------------------------------------------------------------------------
std::string exportVoxels(const EditSession& session, int row)
{
  const Communicator& communicator = session.communicator();
  const LabelBlocks& blocks = session.layer(session.table()->GetNthSegmentLayer(row));
  const Label label = static_cast<Label>(session.table()->GetNthSegmentLabelValue(row));
  std::string local;
  communicator.run(
    [&]
    {
      Json pieces = Json::array();
      const Box bounds = blocks.boundsOf(label);
      for (const Box& owned : session.ownedBoxes())
      {
        const Box box = owned.clipped(bounds);
        if (box.empty())
        {
          continue;
        }
        Json extent = Json::array();
        for (int a = 0; a < 3; ++a)
        {
          extent.push_back(box.lo[a]);
          extent.push_back(box.hi[a]);
        }
        std::vector<Index> runs;
        Index length = 0;
        bool inside = false;
        Box slice = box;
        Buffer<std::uint8_t> mask(box.dim(0) * box.dim(1));
        for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
        {
          slice.lo[2] = slice.hi[2] = k;
          blocks.maskOf(label, slice, mask.data(), slice);
          for (const std::uint8_t voxel : mask)
          {
            if ((voxel != 0) != inside)
            {
              runs.push_back(length);
              length = 0;
              inside = !inside;
            }
            ++length;
          }
        }
        if (inside)
        {
          runs.push_back(length);
        }
        pieces.push_back({ { "extent", extent }, { "runs", runs } });
      }
      local = pieces.dump();
    });
  const auto* letters = reinterpret_cast<const std::byte*>(local.data());
  Json all = Json::array();
  for (const Bytes& bytes : communicator.allGather(Bytes(letters, letters + local.size())))
  {
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    for (const Json& piece : Json::parse(text, text + bytes.size()))
    {
      all.push_back(piece);
    }
  }
  const Geometry& geometry = session.geometry();
  const Json voxels = { { "origin", std::vector<double>(geometry.Origin, geometry.Origin + 3) },
    { "spacing", std::vector<double>(geometry.Spacing, geometry.Spacing + 3) },
    { "direction", std::vector<double>(geometry.Direction, geometry.Direction + 9) },
    { "pieces", all } };
  return voxels.dump();
}

//------------------------------------------------------------------------------------------------
ImportedVoxels::ImportedVoxels(const std::string& text, const Geometry& geometry)
{
  const Json json = Json::parse(text);
  Geometry own;
  const auto read = [&json](const char* key, double* values, std::size_t count)
  {
    const std::vector<double> list = numbers(json, key, count);
    std::copy(list.begin(), list.end(), values);
  };
  read("origin", own.Origin, 3);
  read("spacing", own.Spacing, 3);
  read("direction", own.Direction, 9);
  checkGeometry(own);
  if (json.size() != 4 || !json.contains("pieces") || !json.at("pieces").is_array())
  {
    throw std::invalid_argument("Voxels: expected 'origin', 'spacing', 'direction' and 'pieces'");
  }
  Box whole;
  std::size_t number = 0;
  for (const Json& piece : json.at("pieces"))
  {
    const std::string where = "Voxels: piece " + std::to_string(++number);
    std::vector<Index> extent;
    if (piece.is_object() && piece.size() == 2 && piece.contains("extent") &&
      piece.contains("runs") && piece.at("runs").is_array() && piece.at("extent").is_array() &&
      piece.at("extent").size() == 6)
    {
      for (const Json& index : piece.at("extent"))
      {
        const bool good = index.is_number_integer() && std::abs(index.get<double>()) < 1e15;
        if (good)
        {
          extent.push_back(index.get<Index>());
        }
      }
    }
    if (extent.size() != 6)
    {
      throw std::invalid_argument(where + ": expected 'extent', six indices, and 'runs'");
    }
    Box box;
    for (int a = 0; a < 3; ++a)
    {
      box.lo[a] = extent[static_cast<std::size_t>(2 * a)];
      box.hi[a] = extent[static_cast<std::size_t>(2 * a + 1)];
    }
    if (static_cast<double>(box.dim(0)) * static_cast<double>(box.dim(1)) *
        static_cast<double>(box.dim(2)) >
      MostVoxels)
    {
      throw std::invalid_argument(where + ": 'extent' is too large");
    }
    this->Pieces.push_back({ box, decode(piece.at("runs"), box, where) });
    whole = whole.unite(box);
  }
  this->Nearest.emplace_back(geometry, own);
  // One voxel more than the image of the box, as the nearest voxel is up to half a voxel away.
  const Box seen = NearestIndex(own, geometry)(whole);
  Index around[3];
  for (int a = 0; a < 3; ++a)
  {
    double most = 0.0;
    for (int b = 0; b < 3; ++b)
    {
      most = std::max(most, own.Spacing[b]);
    }
    around[a] = static_cast<Index>(std::ceil(most / geometry.Spacing[a])) + 1;
  }
  this->Bounds = seen.grown(around);
}

//------------------------------------------------------------------------------------------------
void ImportedVoxels::write(const Box& part, std::uint8_t* out) const
{
  const NearestIndex& nearest = this->Nearest.front();
  for (Index k = part.lo[2]; k <= part.hi[2]; ++k)
  {
    for (Index j = part.lo[1]; j <= part.hi[1]; ++j)
    {
      for (Index i = part.lo[0]; i <= part.hi[0]; ++i, ++out)
      {
        Index at[3];
        nearest(i, j, k, at);
        *out = 0;
        for (const Piece& piece : this->Pieces)
        {
          if (piece.box.contains(at[0], at[1], at[2]))
          {
            *out = piece.mask[static_cast<std::size_t>(piece.box.offset(at[0], at[1], at[2]))];
            break;
          }
        }
      }
    }
  }
}

} // namespace segcore
