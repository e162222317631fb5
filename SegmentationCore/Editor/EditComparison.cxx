// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "EditComparison.h"

#include "Buffer.h"
#include "EditSession.h"
#include "NearestIndex.h"
#include "ThreadScope.h"
#include "Threads.h"
#include "vtkLabelSegmentTable.h"

// clang-format off
#include <vtk_nlohmannjson.h>
#include VTK_NLOHMANN_JSON(json.hpp)
// clang-format on

#include <algorithm>
#include <cmath>
#include <cstring>
#include <tuple>

namespace segcore
{
namespace
{
using Json = nlohmann::ordered_json;

/// Where a session keeps a segment; label 0 if it has none of that ID.
struct Where
{
  int layer = 0;
  Label label = 0;
};

Where whereIs(const EditSession& session, const std::string& id)
{
  const int row = session.table()->GetSegmentIndex(id);
  Where where;
  if (row >= 0)
  {
    where.layer = session.table()->GetNthSegmentLayer(row);
    where.label = static_cast<Label>(session.table()->GetNthSegmentLabelValue(row));
  }
  return where;
}

double voxelVolume(const EditSession& session)
{
  const double* spacing = session.geometry().Spacing;
  return spacing[0] * spacing[1] * spacing[2];
}

struct BlockCount
{
  Index key = 0;
  Index fine = 0;
  Index coarse = 0;
  Index both = 0;
  Index differing() const { return this->fine + this->coarse - 2 * this->both; }
};
}

//------------------------------------------------------------------------------------------------
std::string compareSessions(const EditSession& fine, const EditSession& coarse, int worstBlocks)
{
  const Communicator& communicator = fine.communicator();
  const NearestIndex nearest(fine.geometry(), coarse.geometry());
  std::vector<std::string> ids;
  for (const EditSession* session : { &fine, &coarse })
  {
    for (int row = 0; row < session->table()->GetNumberOfSegments(); ++row)
    {
      const std::string id = session->table()->GetNthSegmentID(row);
      if (std::find(ids.begin(), ids.end(), id) == ids.end())
      {
        ids.push_back(id);
      }
    }
  }

  Json segments = Json::array();
  for (const std::string& id : ids)
  {
    const Where inFine = whereIs(fine, id);
    const Where inCoarse = whereIs(coarse, id);
    std::vector<BlockCount> counts;
    communicator.run(
      [&]
      {
        const LabelBlocks& grid = fine.layer(0);
        // The box of the coarse segment, to leave out blocks where neither has voxels.
        const Box bounds =
          inCoarse.label ? coarse.layer(inCoarse.layer).boundsOf(inCoarse.label) : Box();
        std::vector<std::pair<Index, Box>> parts;
        for (const Box& owned : fine.ownedBoxes())
        {
          grid.forEachIn(owned,
            [&](Index key, const Box& held)
            {
              const Box part = held.clipped(owned);
              const Box image = nearest(part);
              const bool has =
                inFine.label && fine.layer(inFine.layer).get(key).contains(inFine.label);
              if (has || !image.clipped(bounds).empty())
              {
                parts.emplace_back(key, part);
              }
            });
        }
        counts.resize(parts.size());
        const auto count = [&](Index begin, Index end)
        {
          for (Index p = begin; p < end; ++p)
          {
            const Box& part = parts[static_cast<std::size_t>(p)].second;
            BlockCount& sum = counts[static_cast<std::size_t>(p)];
            sum.key = parts[static_cast<std::size_t>(p)].first;
            Buffer<std::uint8_t> mask(part.size());
            std::fill(mask.begin(), mask.end(), std::uint8_t{ 0 });
            if (inFine.label)
            {
              fine.layer(inFine.layer).maskOf(inFine.label, part, mask.data(), part);
            }
            Index at = 0;
            for (Index k = part.lo[2]; k <= part.hi[2]; ++k)
            {
              for (Index j = part.lo[1]; j <= part.hi[1]; ++j)
              {
                for (Index i = part.lo[0]; i <= part.hi[0]; ++i, ++at)
                {
                  Index index[3];
                  nearest(i, j, k, index);
                  const bool other = inCoarse.label &&
                    coarse.whole().contains(index[0], index[1], index[2]) &&
                    coarse.layer(inCoarse.layer).at(index[0], index[1], index[2]) == inCoarse.label;
                  sum.fine += mask[at];
                  sum.coarse += other;
                  sum.both += mask[at] && other;
                }
              }
            }
          }
        };
        withThreads([&] { forRanges(static_cast<Index>(parts.size()), 4, count); });
      });
    Index sums[3] = { 0, 0, 0 };
    for (const BlockCount& count : counts)
    {
      sums[0] += count.fine;
      sums[1] += count.coarse;
      sums[2] += count.both;
    }
    communicator.allReduceSum(sums, 3);

    // The worst blocks of all ranks; a block that several ranks share is listed once for each.
    const auto worse = [](const BlockCount& a, const BlockCount& b)
    { return std::make_tuple(-a.differing(), a.key) < std::make_tuple(-b.differing(), b.key); };
    std::sort(counts.begin(), counts.end(), worse);
    counts.resize(std::min(counts.size(), static_cast<std::size_t>(worstBlocks)));
    Bytes bytes(counts.size() * sizeof(BlockCount));
    if (!counts.empty())
    {
      std::memcpy(bytes.data(), counts.data(), bytes.size());
    }
    std::vector<BlockCount> all;
    for (const Bytes& part : communicator.allGather(bytes))
    {
      const std::size_t before = all.size();
      all.resize(before + part.size() / sizeof(BlockCount));
      if (!part.empty())
      {
        std::memcpy(all.data() + before, part.data(), part.size());
      }
    }
    std::sort(all.begin(), all.end(), worse);
    Json worst = Json::array();
    for (std::size_t i = 0; i < all.size() && i < static_cast<std::size_t>(worstBlocks); ++i)
    {
      if (all[i].differing() == 0)
      {
        break;
      }
      const LabelBlocks whole(fine.whole(), fine.whole(), fine.layer(0).edge());
      const Box box = whole.box(all[i].key);
      const Geometry& geometry = fine.geometry();
      Json center = Json::array();
      for (int r = 0; r < 3; ++r)
      {
        double at = geometry.Origin[r];
        for (int a = 0; a < 3; ++a)
        {
          at += geometry.Direction[3 * r + a] * geometry.Spacing[a] *
            (static_cast<double>(box.lo[a]) + static_cast<double>(box.hi[a])) / 2.0;
        }
        center.push_back(at);
      }
      worst.push_back({ { "center", center }, { "voxels", all[i].differing() } });
    }
    const auto own = [&id](const EditSession& session)
    {
      const int row = session.table()->GetSegmentIndex(id);
      return row < 0
        ? 0.0
        : static_cast<double>(session.table()->GetNthSegmentVoxelCount(row)) * voxelVolume(session);
    };
    const Index total = sums[0] + sums[1];
    segments.push_back({ { "segment", id },
      { "dice", total ? 2.0 * static_cast<double>(sums[2]) / static_cast<double>(total) : 1.0 },
      { "volume_mm3", { own(coarse), own(fine) } }, { "worst", worst } });
  }
  return Json{ { "segments", segments } }.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace segcore
