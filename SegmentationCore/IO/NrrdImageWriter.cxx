// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "NrrdImageWriter.h"

#include "ImageArrays.h"
#include "Message.h"
#include "OutputFile.h"

#include "vtkDataArray.h"
#include "vtkImageData.h"
#include "vtkMatrix3x3.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>
#include <type_traits>

namespace segcore
{

namespace
{

constexpr Index SlabBytes = Index{ 32 } << 20;

// Boxes that follow each other in the order of the file: whole planes, or rows of one plane.
std::vector<Box> slabs(const Box& box, Index voxelBytes)
{
  std::vector<Box> result;
  const Index row = box.dim(0) * voxelBytes;
  const Index plane = row * box.dim(1);
  const Index planes = std::max<Index>(1, SlabBytes / plane);
  const Index rows = plane <= SlabBytes ? box.dim(1) : std::max<Index>(1, SlabBytes / row);
  for (Index z = box.lo[2]; z <= box.hi[2]; z += planes)
  {
    for (Index y = box.lo[1]; y <= box.hi[1]; y += rows)
    {
      Box slab = box;
      slab.lo[2] = z;
      slab.hi[2] = std::min(box.hi[2], z + planes - 1);
      slab.lo[1] = y;
      slab.hi[1] = std::min(box.hi[1], y + rows - 1);
      result.push_back(slab);
    }
  }
  return result;
}

// One row of one component, converted to the type of the file, every `step`-th value of `to`.
void packRow(
  int fromType, const void* from, Index first, Index count, int toType, void* to, Index step)
{
  dispatchScalar(fromType, from,
    [&](const auto* values)
    {
      dispatchScalar(toType, to,
        [&](const auto* typed)
        {
          using To = std::remove_const_t<std::remove_pointer_t<decltype(typed)>>;
          To* out = const_cast<To*>(typed);
          for (Index i = 0; i < count; ++i)
          {
            out[i * step] = static_cast<To>(values[first + i]);
          }
        });
    });
}

} // namespace

//----------------------------------------------------------------------------
int fileScalarType(int vtkType)
{
  if (vtkType == VTK_FLOAT || vtkType == VTK_DOUBLE)
  {
    return vtkType;
  }
  int result = 0;
  dispatchScalar(vtkType, nullptr,
    [&](const auto* typed)
    {
      using Type = std::remove_const_t<std::remove_pointer_t<decltype(typed)>>;
      const bool isSigned = std::is_signed<Type>::value;
      switch (sizeof(Type))
      {
        case 1:
          result = isSigned ? VTK_SIGNED_CHAR : VTK_UNSIGNED_CHAR;
          break;
        case 2:
          result = isSigned ? VTK_SHORT : VTK_UNSIGNED_SHORT;
          break;
        case 4:
          result = isSigned ? VTK_INT : VTK_UNSIGNED_INT;
          break;
        default:
          result = isSigned ? VTK_TYPE_INT64 : VTK_TYPE_UINT64;
      }
    });
  return result;
}

//----------------------------------------------------------------------------
void shareText(const Communicator& communicator, std::string& text, int owner)
{
  Bytes bytes(text.size());
  if (!text.empty())
  {
    std::memcpy(bytes.data(), text.data(), text.size());
  }
  communicator.broadcast(bytes, owner);
  text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

//----------------------------------------------------------------------------
SharedImage shareImage(const Communicator& communicator, vtkImageData* image)
{
  SharedImage shared;
  int extent[6] = { 0, -1, 0, -1, 0, -1 };
  if (image)
  {
    image->GetExtent(extent);
  }
  const Box piece = Box::fromExtent(extent);
  shared.owner = static_cast<int>(communicator.allReduceMin(
    std::int64_t{ piece.empty() ? communicator.size() : communicator.rank() }));
  communicator.require(shared.owner == communicator.size() ? "The input image has no voxels." : "");
  shared.distribution = Distribution(communicator, piece);

  IndexToWorld local;
  if (!piece.empty())
  {
    local.setFrom(image->GetOrigin(), image->GetSpacing(), image->GetDirectionMatrix()->GetData());
  }
  MessageWriter message;
  message.put(local);
  Bytes bytes = message.take();
  communicator.broadcast(bytes, shared.owner);
  shared.geometry = MessageReader(bytes).get<IndexToWorld>();
  communicator.run(
    [&]
    {
      shared.geometry.check("input image");
      if (!piece.empty() && std::memcmp(&local, &shared.geometry, sizeof(local)) != 0)
      {
        throw std::runtime_error("The ranks have different origins, spacings or directions.");
      }
    });
  return shared;
}

//----------------------------------------------------------------------------
void writeNrrd(const Communicator& communicator, const SharedImage& image,
  const std::vector<vtkDataArray*>& arrays, const NrrdOutput& output,
  const std::function<bool(double)>& progress)
{
  const Box piece = image.distribution.piece();
  const bool isRoot = communicator.isRoot();
  Index scalarSize = 1;
  communicator.run(
    [&]
    {
      VoxelFile probe;
      probe.path = output.path;
      probe.scalarType = output.scalarType;
      scalarSize = probe.scalarSize();
      if (output.box.empty() || !image.distribution.whole().contains(output.box) ||
        output.components < 1)
      {
        throw FileError(output.path + ": no voxels to write");
      }
      if (piece.empty())
      {
        return;
      }
      Index components = 0;
      for (vtkDataArray* array : arrays)
      {
        if (!array || array->GetNumberOfTuples() != piece.size())
        {
          throw FileError(
            output.path + ": an array has not as many values as the image has voxels");
        }
        components += array->GetNumberOfComponents();
        if (arrays.size() > 1 && array->GetNumberOfComponents() != 1)
        {
          throw FileError(output.path + ": one of several arrays has more than one component");
        }
      }
      if (components != output.components)
      {
        throw FileError(output.path + ": the ranks have different numbers of components");
      }
    });
  const Index voxelBytes = scalarSize * output.components;

  // Rank 0: header and temporary files.
  std::unique_ptr<OutputFile> file;
  std::unique_ptr<OutputFile> headerFile; // of a detached header
  communicator.run(
    [&]
    {
      if (!isRoot)
      {
        return;
      }
      NrrdHeader header;
      header.scalarType = output.scalarType;
      header.encoding = output.compress ? Encoding::Gzip : Encoding::Raw;
      const std::uint16_t one = 1;
      header.littleEndian = *reinterpret_cast<const unsigned char*>(&one) == 1;
      header.space = "left-posterior-superior";
      header.keyValues = output.keyValues;
      if (output.components > 1)
      {
        header.sizes.push_back(output.components);
        header.spaceDirections.emplace_back();
        header.kinds.push_back(output.componentKind);
      }
      for (int column = 0; column < 3; ++column)
      {
        const auto& m = image.geometry.matrix;
        header.sizes.push_back(output.box.dim(column));
        header.spaceDirections.push_back({ -m[0][column], -m[1][column], m[2][column] });
        header.kinds.push_back("domain");
      }
      const double first[3] = { static_cast<double>(output.box.lo[0]),
        static_cast<double>(output.box.lo[1]), static_cast<double>(output.box.lo[2]) };
      double origin[3];
      image.geometry.position(first, origin);
      header.spaceOrigin = { -origin[0], -origin[1], origin[2] };
      if (hasEnding(output.path, ".nhdr"))
      {
        headerFile.reset(new OutputFile(output.path));
        std::string data = headerFile->path();
        data.replace(data.size() - 5, 5, output.compress ? ".raw.gz" : ".raw");
        file.reset(new OutputFile(data));
        header.dataFile = std::filesystem::u8path(data).filename().u8string();
        const std::string text = header.toText();
        headerFile->write(text.data(), static_cast<Index>(text.size()));
      }
      else
      {
        file.reset(new OutputFile(output.path));
        const std::string text = header.toText();
        file->write(text.data(), static_cast<Index>(text.size()));
      }
      if (output.compress)
      {
        file->startCompression(output.compressionLevel, output.labels && voxelBytes == 1);
      }
    });

  // Voxels of a box that this rank holds, in the order and type of the file, to `to`, which stores
  // `memory`.
  const auto pack = [&](const Box& box, const Box& memory, std::byte* to)
  {
    for (Index z = box.lo[2]; z <= box.hi[2]; ++z)
    {
      for (Index y = box.lo[1]; y <= box.hi[1]; ++y)
      {
        const Index from = piece.offset(box.lo[0], y, z);
        std::byte* row = to + memory.offset(box.lo[0], y, z) * voxelBytes;
        if (arrays.size() == 1 && fileScalarType(arrays[0]->GetDataType()) == output.scalarType)
        {
          std::memcpy(row,
            static_cast<const std::byte*>(arrays[0]->GetVoidPointer(0)) + from * voxelBytes,
            static_cast<std::size_t>(box.dim(0) * voxelBytes));
        }
        else if (arrays.size() == 1)
        {
          packRow(arrays[0]->GetDataType(), arrays[0]->GetVoidPointer(0), from * output.components,
            box.dim(0) * output.components, output.scalarType, row, 1);
        }
        else
        {
          for (std::size_t c = 0; c < arrays.size(); ++c)
          {
            packRow(arrays[c]->GetDataType(), arrays[c]->GetVoidPointer(0), from, box.dim(0),
              output.scalarType, row + static_cast<Index>(c) * scalarSize, output.components);
          }
        }
      }
    }
  };

  // Without other ranks, voxels that lie in memory as in the file are written from there.
  const bool direct = communicator.size() == 1 && image.distribution.localBlocks().size() == 1 &&
    arrays.size() == 1 && fileScalarType(arrays[0]->GetDataType()) == output.scalarType &&
    arrays[0]->HasStandardMemoryLayout() && output.box.dim(0) == piece.dim(0) &&
    output.box.dim(1) == piece.dim(1);

  const std::vector<Box> parts = slabs(output.box, voxelBytes);
  for (std::size_t p = 0; p < parts.size(); ++p)
  {
    const Box& slab = parts[p];
    // Only what this rank owns, block after block: rank 0 knows the blocks of all ranks.
    Bytes local;
    Bytes gathered;
    communicator.run(
      [&]
      {
        if (isRoot && !direct)
        {
          gathered.resize(static_cast<std::size_t>(slab.size() * voxelBytes));
        }
        for (const Block& block : image.distribution.localBlocks())
        {
          const Box box = block.box.clipped(slab);
          if (box.empty() || direct)
          {
            continue;
          }
          if (isRoot)
          {
            pack(box, slab, gathered.data());
          }
          else
          {
            const std::size_t begin = local.size();
            local.resize(begin + static_cast<std::size_t>(box.size() * voxelBytes));
            pack(box, box, local.data() + begin);
          }
        }
        if (!progress(static_cast<double>(p) / static_cast<double>(parts.size())))
        {
          throw FileError(output.path + ": writing was stopped");
        }
      });
    const std::vector<Bytes> fromRanks =
      communicator.size() > 1 ? communicator.gather(local) : std::vector<Bytes>();
    communicator.run(
      [&]
      {
        if (!isRoot)
        {
          return;
        }
        std::vector<std::size_t> used(fromRanks.size(), 0);
        for (const Block& block : image.distribution.blocks())
        {
          const Box box = block.box.clipped(slab);
          if (box.empty() || block.rank == communicator.rank())
          {
            continue;
          }
          const Bytes& bytes = fromRanks[static_cast<std::size_t>(block.rank)];
          std::size_t& at = used[static_cast<std::size_t>(block.rank)];
          const auto rowBytes = static_cast<std::size_t>(box.dim(0) * voxelBytes);
          if (bytes.size() < at + rowBytes * static_cast<std::size_t>(box.rows()))
          {
            throw std::logic_error("a rank sent too little");
          }
          for (Index z = box.lo[2]; z <= box.hi[2]; ++z)
          {
            for (Index y = box.lo[1]; y <= box.hi[1]; ++y)
            {
              std::memcpy(gathered.data() + slab.offset(box.lo[0], y, z) * voxelBytes,
                bytes.data() + at, rowBytes);
              at += rowBytes;
            }
          }
        }
        const void* from = direct ? static_cast<const std::byte*>(arrays[0]->GetVoidPointer(0)) +
            piece.offset(slab.lo[0], slab.lo[1], slab.lo[2]) * voxelBytes
                                  : gathered.data();
        file->write(from, slab.size() * voxelBytes);
      });
  }
  communicator.run(
    [&]
    {
      if (isRoot && headerFile)
      {
        commitTogether(*file, *headerFile);
      }
      else if (isRoot)
      {
        file->commit();
      }
      progress(1.0);
    });
}

} // namespace segcore
