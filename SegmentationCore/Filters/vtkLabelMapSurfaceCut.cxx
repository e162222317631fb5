// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapSurfaceCut.h"

#include "ConvexHull.h"
#include "ParameterCheck.h"
#include "SurfaceRaster.h"
#include "WorldGeometry.h"

#include "vtkObjectFactory.h"

vtkStandardNewMacro(vtkLabelMapSurfaceCut);

namespace
{
using segcore::Box;
using segcore::Index;

/// Each triangle of the hull becomes 4 three times.
constexpr int SmoothLevels = 3;

/// What is inside of a surface, or all the rest.
class SurfaceMask : public segcore::LocalMask
{
public:
  SurfaceMask(const segcore::TriangleMesh& mesh, bool outside, const Box& whole)
    : Raster(mesh.points.data(), static_cast<Index>(mesh.points.size() / 3), mesh.triangles.data(),
        static_cast<Index>(mesh.triangles.size() / 3))
    , Outside(outside)
    , Bounds(outside ? whole : this->Raster.box().clipped(whole))
  {
  }
  Box bounds() const override { return this->Bounds; }
  void write(const Box& part, std::uint8_t* out) const override
  {
    const std::uint8_t values[2] = { static_cast<std::uint8_t>(this->Outside),
      static_cast<std::uint8_t>(!this->Outside) };
    this->Raster.sample(part, values, out);
  }
  int uniform(const Box& part) const override
  {
    return part.clipped(this->Raster.box()).empty() ? int(this->Outside) : -1;
  }

private:
  segcore::SurfaceRaster Raster;
  bool Outside;
  Box Bounds;
};
}

//------------------------------------------------------------------------------------------------
segcore::WriteMode vtkLabelMapSurfaceCut::GetWriteMode() const
{
  switch (this->Operation)
  {
    case ERASE_INSIDE:
    case ERASE_OUTSIDE:
      return segcore::WriteMode::Remove;
    case FILL_INSIDE:
    case FILL_OUTSIDE:
      return segcore::WriteMode::Add;
    default:
      return segcore::WriteMode::Set;
  }
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapSurfaceCut::CheckParameters() const
{
  return segcore::firstError({
    this->Superclass::CheckParameters(),
    segcore::checkRange<int>("Operation", this->Operation, SET, FILL_OUTSIDE),
  });
}

//------------------------------------------------------------------------------------------------
std::unique_ptr<segcore::LocalMask> vtkLabelMapSurfaceCut::MakeLocalMask(
  const segcore::LocalInput& input)
{
  std::unique_ptr<segcore::LocalMask> mask;
  input.communicator.run(
    [&]
    {
      // In voxels: hull and subdivision are the same in all coordinates.
      std::vector<double> points;
      for (std::size_t p = 0; p < this->Points.size(); p += 3)
      {
        for (int a = 0; a < 3; ++a)
        {
          points.push_back(segcore::indexAlong(input.geometry, this->Points.data() + p, a));
        }
      }
      segcore::TriangleMesh mesh = segcore::convexHull(points);
      if (mesh.triangles.empty())
      {
        mask = std::make_unique<segcore::BoxMask>(Box());
        return;
      }
      if (this->SmoothModel)
      {
        mesh = segcore::smoothSurface(std::move(mesh), SmoothLevels);
      }
      const bool outside = this->Operation == ERASE_OUTSIDE || this->Operation == FILL_OUTSIDE;
      mask = std::make_unique<SurfaceMask>(mesh, outside, input.whole);
    });
  return mask;
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapSurfaceCut::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "Operation: " << this->Operation << "\n";
  os << indent << "SmoothModel: " << this->SmoothModel << "\n";
}
