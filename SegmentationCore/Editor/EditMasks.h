// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// Masks that the editor writes to segments: an effect's result, the segments of a session, and
/// what follows from two masks.
///
/// Private to the editor.
#ifndef segcore_EditMasks_h
#define segcore_EditMasks_h

#include "Buffer.h"
#include "EditSession.h"
#include "LabelCounts.h"
#include "LocalMask.h"
#include "ScalarTypes.h"

#include "vtkDataArray.h"
#include "vtkSmartPointer.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <type_traits>

namespace segcore
{

/// Voxels of an effect's result on a part of the world.
class ResultMask : public LocalMask
{
public:
  ResultMask(vtkDataArray* array, const Box& box) : Array(array), Voxels(box), Bounds(box) {}
  /// One label of it, which is nowhere outside `bounds`.
  ResultMask(const ResultMask& all, Label label, const Box& bounds)
    : Array(all.Array), Voxels(all.Voxels), Bounds(bounds), Wanted(label)
  {
  }

  /// The box of each label, of the voxels of this rank.
  std::map<Label, Box> boxes() const
  {
    std::map<Label, Box> found;
    if (!this->Voxels.empty())
    {
      switch (this->Array->GetDataType())
      {
        segcoreTemplateMacro(findBoxes(
          static_cast<const VTK_TT*>(this->Array->GetVoidPointer(0)), this->Voxels, found));
      }
    }
    return found;
  }

  Box bounds() const override { return this->Bounds; }
  void write(const Box& part, std::uint8_t* out) const override
  {
    const Box inside = part.clipped(this->Bounds);
    if (inside != part)
    {
      std::fill_n(out, part.size(), std::uint8_t{ 0 });
    }
    if (inside.empty())
    {
      return;
    }
    switch (this->Array->GetDataType())
    {
      segcoreTemplateMacro(this->copyRows(
        static_cast<const VTK_TT*>(this->Array->GetVoidPointer(0)), inside, part, out));
    }
  }

private:
  template <class T>
  void copyRows(const T* values, const Box& inside, const Box& part, std::uint8_t* out) const
  {
    const Index count = inside.dim(0);
    const bool any = this->Wanted == 0;
    const T wanted = static_cast<T>(this->Wanted);
    for (Index k = inside.lo[2]; k <= inside.hi[2]; ++k)
    {
      for (Index j = inside.lo[1]; j <= inside.hi[1]; ++j)
      {
        const T* row = values + this->Voxels.offset(inside.lo[0], j, k);
        std::uint8_t* to = out + part.offset(inside.lo[0], j, k);
        for (Index x = 0; x < count; ++x)
        {
          to[x] = (any ? row[x] != T(0) : row[x] == wanted) ? 1 : 0;
        }
      }
    }
  }

  template <class T>
  static void findBoxes(const T* values, const Box& box, std::map<Label, Box>& found)
  {
    if constexpr (std::is_integral<T>::value)
    {
      for (const auto& entry : countLabels(values, box, box))
      {
        if (entry.label > T(0))
        {
          found[static_cast<Label>(entry.label)] = entry.box;
        }
      }
    }
  }

  vtkSmartPointer<vtkDataArray> Array;
  Box Voxels;
  Box Bounds;
  Label Wanted = 0; // 0: any but the background
};

/// Voxels in both masks.
class CommonMask : public LocalMask
{
public:
  CommonMask(const LocalMask& a, const LocalMask& b) : A(a), B(b) {}
  Box bounds() const override { return this->A.bounds().intersect(this->B.bounds()); }
  void write(const Box& part, std::uint8_t* out) const override
  {
    this->A.write(part, out);
    Buffer<std::uint8_t> other(part.size());
    this->B.write(part, other.data());
    std::transform(out, out + part.size(), other.data(), out,
      [](std::uint8_t a, std::uint8_t b) { return a & b; });
  }

private:
  const LocalMask& A;
  const LocalMask& B;
};

/// Voxels of a box that are in neither of two masks.
class NeitherMask : public LocalMask
{
public:
  NeitherMask(const LocalMask& a, const LocalMask& b, const Box& box) : A(a), B(b), Voxels(box) {}
  Box bounds() const override { return this->Voxels; }
  void write(const Box& part, std::uint8_t* out) const override
  {
    Buffer<std::uint8_t> other(part.size());
    BoxMask(this->Voxels).write(part, out);
    for (const LocalMask* mask : { &this->A, &this->B })
    {
      mask->write(part, other.data());
      std::transform(out, out + part.size(), other.data(), out,
        [](std::uint8_t in, std::uint8_t away) { return in & (away ^ 1); });
    }
  }

private:
  const LocalMask& A;
  const LocalMask& B;
  Box Voxels;
};

/// Where an operation may change voxels.
class EditSession::Editable : public LocalMask
{
public:
  Editable(const EditSession& session, const Rules& rules)
    : Session(session), Allowed(rules), Area(session.labelsOf(rules.areaRows))
  {
  }
  Box bounds() const override { return this->Session.Held.clipped(this->Allowed.region); }
  void write(const Box& part, std::uint8_t* out) const override
  {
    std::fill_n(out, part.size(), std::uint8_t{ 0 });
    Buffer<std::uint8_t> allowed(part.size());
    this->Session.layer(0).forEachIn(part.clipped(this->bounds()),
      [&](Index key, const Box& held)
      {
        const Box cut = held.clipped(part).clipped(this->bounds());
        this->Session.editable(this->Allowed, this->Area, key, cut, allowed.data());
        Index at = 0;
        for (Index k = cut.lo[2]; k <= cut.hi[2]; ++k)
        {
          for (Index j = cut.lo[1]; j <= cut.hi[1]; ++j, at += cut.dim(0))
          {
            std::copy_n(allowed.data() + at, cut.dim(0), out + part.offset(cut.lo[0], j, k));
          }
        }
      });
  }

private:
  const EditSession& Session;
  const Rules& Allowed;
  std::vector<LabelSet> Area;
};

/// The segments of a session, as effects see them.
class EditSession::Masks : public SegmentMasks
{
public:
  explicit Masks(const EditSession& session, const Box& region) : Session(session), Region(region)
  {
  }

  class Mask : public LocalMask
  {
  public:
    Mask(const EditSession& session, int row, const Box& region)
      : Session(session), Row(row), Region(region)
    {
    }
    Box bounds() const override { return this->Session.boundsOf(this->Row).clipped(this->Region); }
    void write(const Box& part, std::uint8_t* out) const override
    {
      const Place& place = this->Session.Places[static_cast<std::size_t>(this->Row)];
      const Box inside = part.clipped(this->Region);
      if (inside != part)
      {
        std::fill_n(out, part.size(), std::uint8_t{ 0 });
      }
      this->Session.layer(place.layer).maskOf(place.label, inside, out, part);
    }
    int uniform(const Box& part) const override
    {
      if (!this->Region.contains(part))
      {
        return -1;
      }
      const Place& place = this->Session.Places[static_cast<std::size_t>(this->Row)];
      const LabelBlocks& blocks = this->Session.layer(place.layer);
      const Index key = blocks.key(part.lo[0], part.lo[1], part.lo[2]);
      const LabelBlock& block = blocks.get(key);
      if (block.voxels || !blocks.box(key).contains(part))
      {
        return -1;
      }
      return block.value == place.label ? 1 : 0;
    }

  private:
    const EditSession& Session;
    int Row;
    Box Region;
  };

  std::unique_ptr<LocalMask> mask(const std::string& segment) const override
  {
    return std::make_unique<Mask>(this->Session, this->Session.find(segment), this->Region);
  }

private:
  const EditSession& Session;
  Box Region;
};

} // namespace segcore

#endif
