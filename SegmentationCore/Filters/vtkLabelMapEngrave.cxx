// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapEngrave.h"

#include "Buffer.h"
#include "EngravingFont.h"
#include "ParameterCheck.h"
#include "StrokeLocalMask.h"
#include "WorldGeometry.h"

#include "vtkObjectFactory.h"

#include <cstring>

vtkStandardNewMacro(vtkLabelMapEngrave);

namespace
{
using segcore::Box;
using segcore::Index;
using segcore::LocalMask;

/// What is in any of several masks.
class Union : public LocalMask
{
public:
  void add(std::unique_ptr<LocalMask> mask)
  {
    this->Bounds = this->Bounds.unite(mask->bounds());
    this->Masks.push_back(std::move(mask));
  }
  Box bounds() const override { return this->Bounds; }
  void write(const Box& part, std::uint8_t* out) const override
  {
    std::memset(out, 0, static_cast<std::size_t>(part.size()));
    for (const auto& mask : this->Masks)
    {
      const Box box = part.clipped(mask->bounds());
      if (box.empty() || mask->uniform(box) == 0)
      {
        continue;
      }
      segcore::Buffer<std::uint8_t> one(box.size());
      mask->write(box, one.data());
      for (Index k = box.lo[2]; k <= box.hi[2]; ++k)
      {
        for (Index j = box.lo[1]; j <= box.hi[1]; ++j)
        {
          const std::uint8_t* from = one.data() + box.offset(box.lo[0], j, k);
          std::uint8_t* to = out + part.offset(box.lo[0], j, k);
          for (Index x = 0; x < box.dim(0); ++x)
          {
            to[x] |= from[x];
          }
        }
      }
    }
  }
  int uniform(const Box& part) const override
  {
    const bool away = std::all_of(this->Masks.begin(), this->Masks.end(),
      [&](const auto& mask) { return mask->uniform(part) == 0; });
    return away ? 0 : -1;
  }

private:
  std::vector<std::unique_ptr<LocalMask>> Masks;
  Box Bounds;
};
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapEngrave::SetText(const char* text)
{
  const std::string given = text ? text : "";
  if (given != this->Text)
  {
    this->Text = given;
    this->Modified();
  }
}

//------------------------------------------------------------------------------------------------
segcore::WriteMode vtkLabelMapEngrave::GetWriteMode() const
{
  return this->Mode == ENGRAVE ? segcore::WriteMode::Remove : segcore::WriteMode::Add;
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapEngrave::CheckParameters() const
{
  const std::string wrong = segcore::firstError({
    this->Superclass::CheckParameters(),
    segcore::checkRange<int>("Mode", this->Mode, ENGRAVE, EMBOSS),
    segcore::checkRange("TextDepth", this->TextDepth, 1e-6, 1e6),
  });
  if (!wrong.empty())
  {
    return wrong;
  }
  if (this->GetNumberOfPoints() < 3)
  {
    return "Points has " + std::to_string(this->GetNumberOfPoints()) +
      ", expected three corners of a rectangle";
  }
  const std::size_t bad = segcore::firstWithoutLetter(this->Text);
  return bad == this->Text.size()
    ? std::string()
    : "Text has no letter for its byte " + std::to_string(bad + 1) + ", expected ASCII";
}

//------------------------------------------------------------------------------------------------
std::unique_ptr<segcore::LocalMask> vtkLabelMapEngrave::MakeLocalMask(
  const segcore::LocalInput& input)
{
  const double* corner = this->Points.data();
  double right[3], up[3], normal[3];
  for (int a = 0; a < 3; ++a)
  {
    right[a] = corner[3 + a] - corner[a];
    up[a] = corner[6 + a] - corner[a];
  }
  auto result = std::make_unique<Union>();
  const double width = std::sqrt(segcore::dot(right, right));
  segcore::cross(right, up, normal);
  const double area = std::sqrt(segcore::dot(normal, normal));
  // The third corner is above the line of the others, not beside it.
  const double height = area / width;
  const segcore::EngravedText text = segcore::engravedText(this->Text);
  if (!(area > 1e-12 * width * width) || !std::isfinite(height) || text.strokes.empty())
  {
    return result;
  }
  const double along = segcore::dot(up, right) / (width * width);
  for (int a = 0; a < 3; ++a)
  {
    up[a] = (up[a] - along * right[a]) / height;
    right[a] /= width;
  }
  // The cutter reaches half a unit beyond the letters, on all sides.
  const double unit = std::min(width / (text.width + 1.0), height / (text.height + 1.0));
  const double left = (width - unit * text.width) / 2.0;
  const double bottom = (height - unit * text.height) / 2.0;
  segcore::StrokeOptions options;
  options.shape = segcore::BrushShape::Circle;
  options.diameterMillimetres = unit;
  options.thicknessMillimetres = this->TextDepth;
  segcore::normalize(normal, options.normal);
  for (const std::vector<double>& stroke : text.strokes)
  {
    std::vector<double> way;
    for (std::size_t v = 0; v < stroke.size(); v += 2)
    {
      const double x = left + unit * stroke[v], y = bottom + unit * stroke[v + 1];
      for (int a = 0; a < 3; ++a)
      {
        way.push_back(corner[a] + (x * right[a] + y * up[a]));
      }
    }
    result->add(segcore::makeStrokeMask(way, input.geometry, options));
  }
  return result;
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapEngrave::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "Text: " << this->Text << "\n";
  os << indent << "Mode: " << this->Mode << "\n";
  os << indent << "TextDepth: " << this->TextDepth << "\n";
}
