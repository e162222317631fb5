// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// libFuzzer target: any bytes as a volume file. Either they are understood and can be read, or a
// FileError says why not; nothing else may happen.
//
//   clang++ -fsanitize=fuzzer,address,undefined ...;  FuzzNrrd -max_len=4096 -max_total_time=600
//   corpus/
//
// The mutations in TestNrrdFile are the small, repeatable sister of this; they need no clang.

#include "NrrdFile.h"
#include "VolumeFile.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <new>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
  const std::string text(reinterpret_cast<const char*>(data), size);
  try
  {
    segcore::Index length = 0;
    const segcore::NrrdHeader header = segcore::parseNrrdHeader(text, "fuzz.nrrd", length);
    if (length < 0 || length > static_cast<segcore::Index>(size))
    {
      std::abort();
    }
    segcore::VolumeFile volume;
    segcore::interpretNrrdAxes(header, "fuzz.nrrd", false, volume);
  }
  catch (const segcore::FileError&)
  {
  }

  // And as a file, by content: NIfTI headers come this way, too.
  static const std::filesystem::path path = std::filesystem::temp_directory_path() /
    ("FuzzNrrd-" + std::to_string(std::random_device()()) + ".nrrd");
  {
    std::ofstream stream(path, std::ios::binary | std::ios::trunc);
    stream.write(text.data(), static_cast<std::streamsize>(text.size()));
  }
  try
  {
    const segcore::VolumeFile volume = segcore::openVolume(path.u8string());
    const segcore::VoxelFile& voxels = volume.voxels;
    if (voxels.decodedBytes() <= (segcore::Index{ 1 } << 20))
    {
      // All voxels, then the last one alone; the second must be the end of the first.
      const auto read = [&](const segcore::Box& box)
      {
        const segcore::Index count = voxels.components();
        std::vector<unsigned char> values(
          static_cast<std::size_t>(box.size() * count * voxels.scalarSize()));
        std::vector<segcore::VoxelTarget> targets;
        for (segcore::Index c = 0; c < count; ++c)
        {
          targets.push_back({ values.data() + c * voxels.scalarSize(), count });
        }
        segcore::readVoxels(voxels, box, box, targets);
        return values;
      };
      const std::vector<unsigned char> all = read(voxels.whole());
      segcore::Box corner = voxels.whole();
      for (int a = 0; a < 3; ++a)
      {
        corner.lo[a] = corner.hi[a];
      }
      const std::vector<unsigned char> last = read(corner);
      if (!std::equal(last.rbegin(), last.rend(), all.rbegin()))
      {
        std::abort();
      }
    }
  }
  catch (const segcore::FileError&)
  {
  }
  return 0;
}
