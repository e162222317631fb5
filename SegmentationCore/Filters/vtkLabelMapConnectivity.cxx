// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapConnectivity.h"

#include "ComponentBlocks.h"
#include "ComponentJoin.h"
#include "EffectJob.h"
#include "ParameterCheck.h"
#include "ReduceTable.h"
#include "ScalarTypes.h"

#include "vtkObjectFactory.h"

#include <algorithm>
#include <cmath>
#include <limits>

vtkStandardNewMacro(vtkLabelMapConnectivity);

namespace
{
using segcore::Box;
using segcore::Index;

/// Faces as bits: 2 axis + side, side 0 the low face.
constexpr int AllFaces = 63;

struct Touch
{
  Index component;
  int faces;
};

/// The components of a block that reach faces of the whole image, ascending, each once.
std::vector<Touch> touches(const segcore::ComponentRuns& runs)
{
  const Box& whole = runs.whole();
  std::vector<Touch> found;
  // Runs of the outermost layer: whole rows on faces along y and z, else the ends of rows.
  for (const segcore::ComponentRun& run : runs.shell())
  {
    const int faces = (run.x0 == whole.lo[0] ? 1 : 0) | (run.x1 == whole.hi[0] ? 2 : 0) |
      (run.y == whole.lo[1] ? 4 : 0) | (run.y == whole.hi[1] ? 8 : 0) |
      (run.z == whole.lo[2] ? 16 : 0) | (run.z == whole.hi[2] ? 32 : 0);
    if (faces)
    {
      found.push_back({ run.component, faces });
    }
  }
  std::sort(found.begin(), found.end(),
    [](const Touch& a, const Touch& b) { return a.component < b.component; });
  std::size_t kept = 0;
  for (std::size_t n = 0; n < found.size(); ++n)
  {
    if (kept > 0 && found[kept - 1].component == found[n].component)
    {
      found[kept - 1].faces |= found[n].faces;
    }
    else
    {
      found[kept++] = found[n];
    }
  }
  found.resize(kept);
  return found;
}
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapConnectivity::CheckParameters() const
{
  const double* d = this->FlowDirection;
  const bool good = std::isfinite(d[0]) && std::isfinite(d[1]) && std::isfinite(d[2]) &&
    (d[0] != 0.0 || d[1] != 0.0 || d[2] != 0.0);
  return segcore::firstError({
    segcore::checkRange<int>("Faces", this->Faces, INLET_AND_OUTLET, ANY_FACE),
    good ? "" : "FlowDirection must be three finite numbers that are not all 0",
    segcore::checkChoice("Connectivity", this->Connectivity, { 6, 18, 26 }),
  });
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapConnectivity::GetReach(const double*, std::int64_t reach[3]) const
{
  // What counts is where the image ends, not where the segment does.
  std::fill(reach, reach + 3, std::numeric_limits<std::int64_t>::max());
}

//------------------------------------------------------------------------------------------------
/// Collective. Numbers the components 1 where their islands are kept, else 0.
void vtkLabelMapConnectivity::SelectIslands(
  segcore::EffectJob& job, std::vector<segcore::ComponentRuns>& blocks) const
{
  const segcore::Communicator& communicator = job.communicator();
  // The axis nearest to the flow; scaled first, so that nothing overflows.
  const double* d = this->FlowDirection;
  const double scale = std::max({ std::abs(d[0]), std::abs(d[1]), std::abs(d[2]) });
  int axis = 0;
  double along[3];
  for (int a = 0; a < 3; ++a)
  {
    along[a] = 0.0;
    for (int r = 0; r < 3; ++r)
    {
      along[a] += job.geometry().Direction[3 * r + a] * (d[r] / scale);
    }
    axis = std::abs(along[a]) > std::abs(along[axis]) ? a : axis;
  }
  const bool forward = along[axis] > 0.0;
  const int inlet = 1 << (2 * axis + (forward ? 0 : 1));
  const int outlet = 1 << (2 * axis + (forward ? 1 : 0));
  const auto keeps = [&](int faces)
  {
    switch (this->Faces)
    {
      case INLET_AND_OUTLET:
        return (faces & inlet) && (faces & outlet);
      case INLET:
        return (faces & inlet) != 0;
      case OUTLET:
        return (faces & outlet) != 0;
      case INLET_OR_OUTLET:
        return (faces & (inlet | outlet)) != 0;
      case ALL_FACES:
        return faces == AllFaces;
      default:
        return faces != 0;
    }
  };

  const segcore::ComponentJoin islands(communicator, job.distribution(), blocks,
    static_cast<segcore::Connectivity>(this->Connectivity));

  // Faces that parts of an island reach, by its first voxel: for each face how many parts.
  std::vector<std::vector<Touch>> found(blocks.size());
  std::vector<segcore::LabelSum> parts;
  communicator.run(
    [&]
    {
      for (std::size_t b = 0; b < blocks.size(); ++b)
      {
        found[b] = touches(blocks[b]);
        for (const Touch& touch : found[b])
        {
          for (int face = 0; blocks[b].isJoined(touch.component) && face < 6; ++face)
          {
            if ((touch.faces >> face) & 1)
            {
              parts.push_back({ 6 * blocks[b].first(touch.component) + face, 1 });
            }
          }
        }
      }
    });
  parts = segcore::reduceTable(communicator, std::move(parts));
  const auto facesOf = [&parts](Index first)
  {
    int faces = 0;
    auto part = std::lower_bound(parts.begin(), parts.end(), 6 * first,
      [](const segcore::LabelSum& entry, Index label) { return entry.label < label; });
    for (; part != parts.end() && part->label < 6 * first + 6; ++part)
    {
      faces |= 1 << (part->label - 6 * first);
    }
    return faces;
  };
  communicator.run(
    [&]
    {
      for (std::size_t b = 0; b < blocks.size(); ++b)
      {
        segcore::ComponentRuns& runs = blocks[b];
        auto touch = found[b].begin();
        runs.makeNumbers(1);
        runs.forEachComponent(
          [&](Index component)
          {
            int faces = 0;
            if (touch != found[b].end() && touch->component == component)
            {
              faces = (touch++)->faces;
            }
            faces = runs.isJoined(component) ? facesOf(runs.first(component)) : faces;
            runs.setNumber(component, keeps(faces) ? 1 : 0);
          });
      }
    });
}

//------------------------------------------------------------------------------------------------
template <class T>
void vtkLabelMapConnectivity::ExecuteTyped(segcore::EffectJob& job)
{
  const T* labels = job.input<T>();
  T* out = job.makeOutput<T>(job.scalarType(), job.inputName());
  std::vector<segcore::ComponentRuns> blocks =
    segcore::labelBlocks<T>(job, static_cast<segcore::Connectivity>(this->Connectivity), 0.6);
  this->SelectIslands(job, blocks);
  job.communicator().run(
    [&]
    {
      for (const segcore::ComponentRuns& runs : blocks)
      {
        segcore::copyAndFill(
          runs, [&runs](Index component) { return runs.number(component) == 0; }, T(0), labels, out,
          job.piece(), job.progress().part(0.6, 1.0), job.isOutputFresh());
      }
    });
  segcore::completePiece(job.communicator(), job.distribution(), out);
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapConnectivity::Execute(segcore::EffectJob& job)
{
  switch (job.scalarType())
  {
    segcoreTemplateMacro(this->ExecuteTyped<VTK_TT>(job));
    default:
      throw segcore::AgreedError("the label map has an unknown scalar type");
  }
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapConnectivity::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "Faces: " << this->Faces << "\n";
  os << indent << "FlowDirection: " << this->FlowDirection[0] << " " << this->FlowDirection[1]
     << " " << this->FlowDirection[2] << "\n";
  os << indent << "Connectivity: " << this->Connectivity << "\n";
}
