// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "vtkLabelMapLogical.h"

#include "Buffer.h"
#include "LocalMask.h"
#include "ParameterCheck.h"

#include "vtkObjectFactory.h"

#include <algorithm>

vtkStandardNewMacro(vtkLabelMapLogical);

namespace
{
using segcore::Box;
using segcore::Index;
using segcore::LocalMask;

bool needsModifier(int operation)
{
  return operation <= vtkLabelMapLogical::XOR;
}

/// Two masks voxel by voxel, or one with itself.
class Combination : public LocalMask
{
public:
  Combination(
    int operation, const Box& whole, std::unique_ptr<LocalMask> a, std::unique_ptr<LocalMask> b)
    : Operation(operation), Whole(whole), A(std::move(a)), B(std::move(b))
  {
  }

  Box bounds() const override
  {
    switch (this->Operation)
    {
      case vtkLabelMapLogical::INTERSECT:
        return this->A->bounds().intersect(this->B->bounds());
      case vtkLabelMapLogical::XOR:
        return this->A->bounds().unite(this->B->bounds());
      default:
        return this->Whole; // INVERT
    }
  }

  void write(const Box& part, std::uint8_t* out) const override
  {
    this->A->write(part, out);
    const Index count = part.size();
    if (this->Operation == vtkLabelMapLogical::INVERT)
    {
      std::transform(out, out + count, out, [](std::uint8_t a) { return a ^ 1; });
      return;
    }
    segcore::Buffer<std::uint8_t> other(count);
    this->B->write(part, other.data());
    for (Index i = 0; i < count; ++i)
    {
      out[i] =
        this->Operation == vtkLabelMapLogical::INTERSECT ? out[i] & other[i] : out[i] ^ other[i];
    }
  }

  int uniform(const Box& part) const override
  {
    const int a = this->A->uniform(part);
    if (this->Operation == vtkLabelMapLogical::INVERT)
    {
      return a < 0 ? a : 1 - a;
    }
    const int b = this->B->uniform(part);
    if (this->Operation == vtkLabelMapLogical::INTERSECT)
    {
      return a == 0 || b == 0 ? 0 : (a == 1 && b == 1 ? 1 : -1);
    }
    return a < 0 || b < 0 ? -1 : a ^ b;
  }

private:
  int Operation;
  Box Whole;
  std::unique_ptr<LocalMask> A;
  std::unique_ptr<LocalMask> B;
};
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapLogical::SetModifierSegmentID(const char* id)
{
  const std::string text = id ? id : "";
  if (text != this->ModifierSegmentID)
  {
    this->ModifierSegmentID = text;
    this->Modified();
  }
}

//------------------------------------------------------------------------------------------------
segcore::WriteMode vtkLabelMapLogical::GetWriteMode() const
{
  switch (this->Operation)
  {
    case UNION:
      return segcore::WriteMode::Add;
    case SUBTRACT:
      return segcore::WriteMode::Remove;
    default:
      return segcore::WriteMode::Set;
  }
}

//------------------------------------------------------------------------------------------------
std::string vtkLabelMapLogical::CheckParameters() const
{
  const std::string wrong = segcore::checkRange<int>("Operation", this->Operation, COPY, FILL);
  if (wrong.empty() && needsModifier(this->Operation) && this->ModifierSegmentID.empty())
  {
    return "ModifierSegmentID is missing, and Operation needs another segment";
  }
  return wrong;
}

//------------------------------------------------------------------------------------------------
std::unique_ptr<segcore::LocalMask> vtkLabelMapLogical::MakeLocalMask(
  const segcore::LocalInput& input)
{
  std::unique_ptr<LocalMask> mask;
  input.communicator.run(
    [&]
    {
      switch (this->Operation)
      {
        case COPY:
        case UNION:
        case SUBTRACT:
          mask = input.segments->mask(this->ModifierSegmentID);
          break;
        case CLEAR:
          mask = std::make_unique<segcore::BoxMask>(Box());
          break;
        case FILL:
          mask = std::make_unique<segcore::BoxMask>(input.whole);
          break;
        default:
          mask = std::make_unique<Combination>(this->Operation, input.whole,
            input.segments->mask(input.segment),
            this->Operation == INVERT ? nullptr : input.segments->mask(this->ModifierSegmentID));
      }
    });
  return mask;
}

//------------------------------------------------------------------------------------------------
void vtkLabelMapLogical::PrintSelf(ostream& os, vtkIndent indent)
{
  this->Superclass::PrintSelf(os, indent);
  os << indent << "Operation: " << this->Operation << "\n";
  os << indent << "ModifierSegmentID: " << this->ModifierSegmentID << "\n";
  os << indent << "BypassMasking: " << this->BypassMasking << "\n";
}
