// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapFillHoles.h"

#include "ComponentJoin.h"
#include "ConnectedComponents.h"
#include "EffectJob.h"
#include "ParameterCheck.h"
#include "ScalarTypes.h"
#include "SliceHoles.h"

#include "vtkObjectFactory.h"

#include <algorithm>
#include <cmath>
#include <limits>

vtkStandardNewMacro(vtkLabelMapFillHoles);

namespace
{
/// The axis of the lattice that is most nearly parallel to a vector of the world.
int nearestAxis(const double direction[9], const double vector[3])
{
  int nearest = 0;
  double largest = -1.0;
  for (int axis = 0; axis < 3; ++axis)
  {
    const double along = std::abs(direction[axis] * vector[0] + direction[3 + axis] * vector[1] +
      direction[6 + axis] * vector[2]);
    // Rounding must not decide between axes that are equally near.
    if (along > largest * (1.0 + 1e-12))
    {
      nearest = axis;
      largest = along;
    }
  }
  return nearest;
}
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapFillHoles::CheckParameters() const
{
  const double* n = this->SliceNormal;
  const double length = std::sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
  return segcore::firstError({
    segcore::checkRange<vtkTypeInt64>(
      "MaximumSize", this->MaximumSize, 0, std::numeric_limits<vtkTypeInt64>::max()),
    segcore::checkChoice("Connectivity", this->Connectivity, { 6, 18, 26 }),
    length > 0.0 && std::isfinite(length)
      ? std::string()
      : std::string("SliceNormal must be finite and have a length above 0"),
  });
}

//------------------------------------------------------------------------------------------------
template <class T>
void vtkLabelMapFillHoles::FillVolume(segcore::EffectJob& job, const T* labels, T label, T* out)
{
  const auto connectivity = static_cast<segcore::Connectivity>(this->Connectivity);
  const auto& blocks = job.distribution().localBlocks();
  std::vector<segcore::ComponentRuns> components;
  job.communicator().run(
    [&]
    {
      for (std::size_t b = 0; b < blocks.size(); ++b)
      {
        const segcore::Box& box = blocks[b].box;
        const double count = static_cast<double>(blocks.size());
        components.push_back(segcore::labelComponents(
          box, job.whole(), connectivity,
          [&](segcore::Index y, segcore::Index z, segcore::Word* bits)
          {
            const T* row = labels + job.piece().offset(box.lo[0], y, z);
            segcore::packWhere(
              box.dim(0), bits, [row, label](segcore::Index i) { return row[i] != label; });
          },
          job.progress().part(
            0.6 * static_cast<double>(b) / count, 0.6 * static_cast<double>(b + 1) / count)));
      }
    });
  const segcore::ComponentJoin islands(
    job.communicator(), job.distribution(), components, connectivity);
  const std::vector<segcore::Index> outside = islands.atBorder(job.communicator());
  job.communicator().run(
    [&]
    {
      double done = 0.6;
      const double step = 0.4 / static_cast<double>(std::max<std::size_t>(1, components.size()));
      for (const segcore::ComponentRuns& runs : components)
      {
        // Components are named by their first runs.
        std::vector<std::uint8_t> hole(static_cast<std::size_t>(runs.runCount()), 0);
        runs.forEachComponent(
          [&](segcore::Index component)
          {
            hole[static_cast<std::size_t>(component)] =
              (this->MaximumSize == 0 || runs.size(component) <= this->MaximumSize) &&
              !std::binary_search(outside.begin(), outside.end(), runs.first(component));
          });
        segcore::copyAndFill(
          runs, [&hole](segcore::Index component)
          { return hole[static_cast<std::size_t>(component)]; }, label, labels, out, job.piece(),
          job.progress().part(done, done + step), job.isOutputFresh());
        done += step;
      }
    });
}

//------------------------------------------------------------------------------------------------
template <class T>
void vtkLabelMapFillHoles::FillSlices(segcore::EffectJob& job, const T* labels, T label, T* out)
{
  // The ranks share out the slices, whole ones.
  const segcore::Communicator& communicator = job.communicator();
  const int axis = nearestAxis(job.geometry().Direction, this->SliceNormal);
  const segcore::Box& whole = job.whole();
  std::vector<segcore::Box> pieces;
  for (int rank = 0; rank < communicator.size(); ++rank)
  {
    segcore::Box piece = whole;
    piece.lo[axis] =
      whole.lo[axis] + segcore::chunkBegin(whole.dim(axis), communicator.size(), rank);
    piece.hi[axis] =
      whole.lo[axis] + segcore::chunkBegin(whole.dim(axis), communicator.size(), rank + 1) - 1;
    pieces.push_back(piece);
  }
  segcore::Distribution slices;
  segcore::Buffer<std::uint8_t> mask;
  communicator.run(
    [&]
    {
      slices = segcore::Distribution(
        communicator.rank(), pieces, std::vector<segcore::Index>(pieces.size(), 1));
      mask = segcore::Buffer<std::uint8_t>(slices.piece().size());
    });
  std::vector<segcore::Request<std::uint8_t>> wanted;
  if (!slices.piece().empty())
  {
    wanted.emplace_back(slices.piece(), mask.data());
  }
  segcore::fetchMask(
    communicator, job.distribution(), labels, [label](T value) { return value == label; }, wanted);
  communicator.run(
    [&]
    {
      if (!slices.piece().empty())
      {
        segcore::fillSliceHoles(mask.data(), slices.piece(), axis,
          static_cast<segcore::Connectivity>(this->Connectivity), this->MaximumSize,
          job.progress().part(0.2, 0.8));
      }
    });
  std::vector<segcore::BitBlock> results;
  std::vector<segcore::BitRequest> requests;
  communicator.run(
    [&]
    {
      for (const segcore::Block& block : job.distribution().localBlocks())
      {
        results.emplace_back(block.box);
      }
      for (segcore::BitBlock& result : results)
      {
        requests.emplace_back(result);
      }
    });
  segcore::fetchBits(
    communicator, slices, mask.data(), [](std::uint8_t value) { return value != 0; }, requests);
  communicator.run(
    [&]
    {
      for (const segcore::BitBlock& result : results)
      {
        segcore::mergeBits(result, labels, job.piece(), label, out);
      }
    });
}

//------------------------------------------------------------------------------------------------
template <class T>
void vtkLabelMapFillHoles::ExecuteTyped(segcore::EffectJob& job)
{
  const T label = job.labelAs<T>();
  const T* labels = job.input<T>();
  T* out = job.makeOutput<T>(job.scalarType(), job.inputName());
  job.communicator().run([&] { job.progress().step(0.0); });
  if (this->SliceBySlice)
  {
    this->FillSlices(job, labels, label, out);
  }
  else
  {
    this->FillVolume(job, labels, label, out);
  }
  segcore::completePiece(job.communicator(), job.distribution(), out);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapFillHoles::Execute(segcore::EffectJob& job)
{
  switch (job.scalarType())
  {
    segcoreEqualityMacro(this->ExecuteTyped<VTK_TT>(job));
    default:
      throw segcore::AgreedError("the label map has an unknown scalar type");
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapFillHoles::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "MaximumSize: " << this->MaximumSize << "\n";
  os << indent << "Connectivity: " << this->Connectivity << "\n";
  os << indent << "SliceBySlice: " << this->SliceBySlice << "\n";
  os << indent << "SliceNormal: " << this->SliceNormal[0] << " " << this->SliceNormal[1] << " "
     << this->SliceNormal[2] << "\n";
}
