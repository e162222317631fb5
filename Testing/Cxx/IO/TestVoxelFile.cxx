// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Parts of a file, in every encoding and with the component axis anywhere, against a slow look-up;
// NIfTI headers by hand-made files.

#include "Check.h"
#include "NiftiFile.h"
#include "TemporaryFolder.h"
#include "VoxelFile.h"

#include "vtkType.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

using segcore::Box;
using segcore::FileError;
using segcore::Index;
using segcore::VoxelFile;

namespace
{

// The value of element number n of the file.
std::int32_t valueOf(Index n)
{
  return static_cast<std::int32_t>(n * 2654435761u % 1000003u) - 500000;
}

std::string bytesOf(Index count, bool swap)
{
  std::string bytes;
  for (Index n = 0; n < count; ++n)
  {
    const std::int32_t value = valueOf(n);
    char raw[4];
    std::memcpy(raw, &value, 4);
    if (swap)
    {
      std::reverse(raw, raw + 4);
    }
    bytes.append(raw, 4);
  }
  return bytes;
}

void parts()
{
  TemporaryFolder folder("TestVoxelFile");
  check::Random random(7);
  for (int componentAxis = -1; componentAxis < 4; ++componentAxis)
  {
    for (int how = 0; how < 4; ++how) // raw, raw swapped, gzip, text
    {
      check::setContext("component axis ", componentAxis, " encoding ", how);
      VoxelFile file;
      file.scalarType = VTK_INT;
      file.sizes = { 5, 7, 4 };
      file.componentAxis = componentAxis;
      int axis = 0;
      if (componentAxis >= 0)
      {
        file.sizes.insert(file.sizes.begin() + componentAxis, 3);
      }
      for (int& spatial : file.spatialAxis)
      {
        axis += axis == componentAxis ? 1 : 0;
        spatial = axis++;
      }
      file.swapBytes = how == 1;
      Index elements = 1;
      for (const Index size : file.sizes)
      {
        elements *= size;
      }
      std::string bytes = bytesOf(elements, how == 1);
      if (how == 3)
      {
        bytes.clear();
        for (Index n = 0; n < elements; ++n)
        {
          bytes += std::to_string(valueOf(n)) + (n % 7 == 6 ? "\r\n" : " ");
        }
        file.encoding = segcore::Encoding::Text;
        file.offset = 3;
        bytes = "abc" + bytes;
      }
      else if (how == 2)
      {
        // Two members, as joined by cat, and something before the voxels in the decompressed data.
        bytes = "xyz" + bytes;
        file.decodedSkip = 3;
        bytes = gzipped(bytes.substr(0, 100)) + gzipped(bytes.substr(100));
        file.encoding = segcore::Encoding::Gzip;
      }
      else
      {
        file.offset = 11;
        bytes = "hello world" + bytes;
      }
      file.path = folder.write("v.raw", bytes);

      for (int round = 0; round < 30; ++round)
      {
        Box box;
        Box memory;
        const Box whole = file.whole();
        for (int a = 0; a < 3; ++a)
        {
          box.lo[a] = round == 0 ? 0 : random.between(0, whole.hi[a]);
          box.hi[a] = round == 0 ? whole.hi[a] : random.between(box.lo[a], whole.hi[a]);
          memory.lo[a] = box.lo[a] - (round % 3 == 2 ? random.between(0, 2) : 0);
          memory.hi[a] = box.hi[a] + (round % 3 == 2 ? random.between(0, 2) : 0);
        }
        const Index components = file.components();
        const bool interleaved = round % 2 == 0;
        std::vector<std::int32_t> got(static_cast<std::size_t>(memory.size() * components), -7);
        std::vector<segcore::VoxelTarget> targets;
        for (Index c = 0; c < components; ++c)
        {
          targets.push_back(interleaved
              ? segcore::VoxelTarget{ got.data() + c, components }
              : segcore::VoxelTarget{ got.data() + c * memory.size(), 1 });
        }
        CHECK(segcore::readVoxels(file, box, memory, targets));
        std::vector<std::int32_t> expected(got.size(), -7);
        for (Index c = 0; c < components; ++c)
        {
          for (Index z = box.lo[2]; z <= box.hi[2]; ++z)
          {
            for (Index y = box.lo[1]; y <= box.hi[1]; ++y)
            {
              for (Index x = box.lo[0]; x <= box.hi[0]; ++x)
              {
                Index at[4] = { x, y, z, 0 };
                if (componentAxis >= 0)
                {
                  std::copy_backward(at + componentAxis, at + 3, at + 4);
                  at[componentAxis] = c;
                }
                Index n = 0;
                for (std::size_t a = file.sizes.size(); a-- > 0;)
                {
                  n = n * file.sizes[a] + at[a];
                }
                const Index to = memory.offset(x, y, z);
                expected[static_cast<std::size_t>(
                  interleaved ? to * components + c : to + c * memory.size())] = valueOf(n);
              }
            }
          }
        }
        CHECK_RANGES(got, expected, static_cast<Index>(got.size()));
      }
      Index next = 0;
      segcore::scanVoxels(file,
        [&](const unsigned char* data, Index first, Index count)
        {
          CHECK_EQUAL(first, next);
          for (Index i = 0; i < count; ++i)
          {
            std::int32_t value = 0;
            std::memcpy(&value, data + 4 * i, 4);
            CHECK_EQUAL(value, valueOf(first + i));
          }
          next += count;
        });
      CHECK_EQUAL(next, elements);
    }
  }
  check::setContext("");
}

void damage()
{
  TemporaryFolder folder("TestVoxelFileDamage");
  VoxelFile file;
  file.scalarType = VTK_INT;
  file.sizes = { 100, 10, 10 };
  std::copy_n(std::vector<int>{ 0, 1, 2 }.begin(), 3, file.spatialAxis);
  const std::string bytes = bytesOf(10000, false);
  std::vector<std::int32_t> values(10000);
  const auto read = [&](const std::string& name, const std::string& content)
  {
    file.path = folder.write(name, content);
    segcore::readVoxels(file, file.whole(), file.whole(), { { values.data(), 1 } });
  };
  CHECK_THROWS(read("a", bytes.substr(1)), FileError);
  file.encoding = segcore::Encoding::Gzip;
  std::string packed = gzipped(bytes);
  read("b", packed);
  CHECK_EQUAL(values[9999], valueOf(9999));
  read("c", packed + "trailing bytes are padding");
  CHECK_THROWS(read("d", packed.substr(0, packed.size() / 2)), FileError);
  CHECK_THROWS(read("e", gzipped(bytes.substr(4))), FileError);
  packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x55);
  packed[packed.size() / 2 + 1] = static_cast<char>(packed[packed.size() / 2 + 1] ^ 0x55);
  CHECK_THROWS(read("f", packed), FileError);
  CHECK_THROWS(read("g", std::string(5000, 'n')), FileError);
  file.encoding = segcore::Encoding::Text;
  file.sizes = { 2, 2, 1 };
  file.scalarType = VTK_UNSIGNED_CHAR;
  CHECK_THROWS(read("h", "1 2 3"), FileError);
  CHECK_THROWS(read("i", "1 2 3 256"), FileError);
  CHECK_THROWS(read("j", "1 2 3 -1"), FileError);
  CHECK_THROWS(read("k", "1 2 3 4.5"), FileError);
  CHECK_THROWS(read("l", "1 2 3 " + std::string(100, '4')), FileError);
  read("m", "1,2\n3,4");
  file.encoding = segcore::Encoding::Raw;
  file.path = folder.write("n", "0123");
  int calls = 0;
  CHECK(!segcore::readVoxels(file, file.whole(), file.whole(), { { values.data(), 1 } },
    [&](double)
    {
      ++calls;
      return false;
    }));
  CHECK_EQUAL(calls, 1);
}

template <class T>
void put(std::string& header, std::size_t offset, T value, bool swap = false)
{
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  if (swap)
  {
    std::reverse(raw, raw + sizeof(T));
  }
  header.replace(offset, sizeof(T), raw, sizeof(T));
}

// 2 x 3 x 4 voxels of 2 bytes with a spacing of 1, 2, 3; no orientation.
std::string nifti(bool swap = false)
{
  std::string header(352, '\0');
  put<std::int32_t>(header, 0, 348, swap);
  const std::int16_t dim[8] = { 3, 2, 3, 4, 1, 1, 1, 1 };
  const float pixdim[8] = { 1, 1, 2, 3, 1, 1, 1, 1 };
  for (std::size_t i = 0; i < 8; ++i)
  {
    put(header, 40 + 2 * i, dim[i], swap);
    put(header, 76 + 4 * i, pixdim[i], swap);
  }
  put<std::int16_t>(header, 70, 4, swap);
  put<std::int16_t>(header, 72, 16, swap);
  put<float>(header, 108, 352, swap);
  header[123] = 2;
  header.replace(344, 4, std::string("n+1\0", 4));
  return header;
}

void niftiHeaders()
{
  TemporaryFolder folder("TestVoxelFileNifti");
  const std::string data(48, '\1');
  const auto open = [&](const std::string& header)
  { return segcore::openNifti(folder.write("v.nii", header + data)); };

  // None: voxel sizes along L, P, S.
  const segcore::VolumeFile plain = open(nifti());
  CHECK_EQUAL(plain.geometry.matrix[0][0], -1.0);
  CHECK_EQUAL(plain.geometry.matrix[1][1], -2.0);
  CHECK_EQUAL(plain.geometry.matrix[2][2], 3.0);
  CHECK_EQUAL(plain.voxels.offset, Index{ 352 });
  CHECK(open(nifti(true)).voxels.swapBytes);
  CHECK_EQUAL(open(nifti(true)).geometry.matrix[2][2], 3.0);

  // qform: a quarter turn about z is b = c = 0, d = sqrt(1/2): x goes to y, y to -x.
  std::string q = nifti();
  put<std::int16_t>(q, 252, 1);
  put<float>(q, 264, static_cast<float>(std::sqrt(0.5)));
  put<float>(q, 268, 10);
  for (const float qfac : { 1.0f, -1.0f })
  {
    put<float>(q, 76, qfac);
    const segcore::VolumeFile turned = open(q);
    const auto& m = turned.geometry.matrix;
    CHECK(
      std::abs(m[1][0] - 1.0) < 1e-6 && std::abs(m[0][1] + 2.0) < 1e-6 && std::abs(m[0][0]) < 1e-6);
    CHECK(std::abs(m[2][2] - 3.0 * static_cast<double>(qfac)) < 1e-6);
    CHECK_EQUAL(m[0][3], 10.0);
  }

  // The sform counts, if there is one; metres become millimetres.
  std::string s = q;
  put<std::int16_t>(s, 254, 2);
  const float sform[12] = { 0, 0, 3, 7, 1, 0, 0, 8, 0, -2, 0, 9 };
  for (std::size_t i = 0; i < 12; ++i)
  {
    put(s, 280 + 4 * i, sform[i]);
  }
  CHECK_EQUAL(open(s).geometry.matrix[0][2], 3.0);
  CHECK_EQUAL(open(s).geometry.matrix[2][1], -2.0);
  CHECK_EQUAL(open(s).geometry.matrix[2][3], 9.0);
  s[123] = 1;
  CHECK_EQUAL(open(s).geometry.matrix[2][3], 9000.0);

  std::string bad = nifti();
  put<std::int16_t>(bad, 48, 5); // time
  put<std::int16_t>(bad, 40, 4);
  CHECK_THROWS(open(bad), FileError);
  bad = nifti();
  put<std::int16_t>(bad, 70, 32); // complex
  CHECK_THROWS(open(bad), FileError);
  bad = nifti();
  put<std::int16_t>(bad, 42, -2);
  CHECK_THROWS(open(bad), FileError);
  bad = nifti();
  put<std::int16_t>(bad, 42, 32767);
  CHECK_THROWS(open(bad), FileError); // too large for the file
  bad = nifti();
  put<float>(bad, 108, std::nanf(""));
  CHECK_THROWS(open(bad), FileError);
  bad = nifti();
  bad[344] = 'x';
  CHECK_THROWS(open(bad), FileError);
  CHECK_THROWS(segcore::openNifti(folder.write("short.nii", nifti().substr(0, 100))), FileError);

  // Header and voxels in two files, compressed.
  std::string pair = nifti();
  pair.replace(344, 4, std::string("ni1\0", 4));
  put<float>(pair, 108, 0);
  folder.write("p.img.gz", gzipped(data));
  const segcore::VolumeFile two = segcore::openNifti(folder.write("p.hdr", pair));
  CHECK(two.voxels.encoding == segcore::Encoding::Gzip && two.voxels.decodedSkip == 0);

  check::Random random(3);
  for (int round = 0; round < 3000; ++round)
  {
    check::setContext("round ", round);
    std::string header = round % 2 == 0 ? nifti(round % 4 == 0) : s;
    for (std::int64_t change = random.between(1, 6); change > 0; --change)
    {
      header[static_cast<std::size_t>(random.below(352))] = static_cast<char>(random.below(256));
    }
    try
    {
      open(header);
    }
    catch (const FileError&)
    {
    }
  }
  check::setContext("");
}

} // namespace

int TestVoxelFile(int, char*[])
{
  parts();
  damage();
  niftiHeaders();
  return check::result();
}
