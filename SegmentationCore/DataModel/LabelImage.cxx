// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
#include "LabelImage.h"

#include "LabelCounts.h"
#include "ScalarTypes.h"
#include "ThreadScope.h"
#include "vtkDataArray.h"
#include "vtkImageData.h"
#include "vtkPointData.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <type_traits>

namespace segcore
{

namespace
{

vtkDataArray* scalarsOf(vtkImageData* image)
{
  return image ? image->GetPointData()->GetScalars() : nullptr;
}

// Calls body(pointer to the first value, number of values) with the array's own type, on all cores.
template <class Body>
void withValues(vtkDataArray* values, const Body& body)
{
  if (!values || values->GetNumberOfValues() == 0)
  {
    return;
  }
  const Index count = values->GetNumberOfValues();
  const auto work = [&]
  {
    switch (values->GetDataType())
    {
      segcoreTemplateMacro(body(static_cast<VTK_TT*>(values->GetVoidPointer(0)), count));
      default:
        break;
    }
  };
  withThreads(work, count);
}

constexpr Index Grain = 65536;

// Float voxels as integers, 0 where the value is no whole number that fits.
template <class T>
std::vector<Index> wholeNumbers(const T* values, Index count)
{
  std::vector<Index> whole(static_cast<std::size_t>(count));
  forRanges(count, Grain,
    [&](Index begin, Index end)
    {
      for (Index i = begin; i < end; ++i)
      {
        Index label = 0;
        whole[static_cast<std::size_t>(i)] = toLabel(values[i], label) ? label : 0;
      }
    });
  return whole;
}

template <class T>
std::vector<LabelBox> boxesOf(const T* values, const Box& box)
{
  std::vector<LabelBox> boxes;
  if constexpr (std::is_floating_point<T>::value)
  {
    return boxesOf(wholeNumbers(values, box.size()).data(), box);
  }
  else
  {
    for (const LabelCount<T>& count : countLabels(values, box, box))
    {
      if (count.label != T(0))
      {
        boxes.push_back({ static_cast<Index>(count.label), count.voxels, count.box });
      }
    }
    return boxes;
  }
}

// Calls found(i) where the voxel has the label. Pieces without it are read and no more.
template <class T, class Found>
void forLabel(const T* values, Index count, Index label, const Found& found)
{
  constexpr Index Piece = 256;
  const LabelTest<T> is(label);
  forRanges(count, Grain,
    [values, &is, &found](Index begin, Index end)
    {
      for (Index piece = begin; piece < end; piece += Piece)
      {
        const Index last = std::min(piece + Piece, end);
        unsigned int any = 0; // a loop without branches, which is vectorised
        for (Index i = piece; i < last; ++i)
        {
          any |= is(values[i]) ? 1u : 0u;
        }
        for (Index i = piece; any != 0 && i < last; ++i)
        {
          if (is(values[i]))
          {
            found(i);
          }
        }
      }
    });
}

// An array like this one, all 0. Its memory comes from the system as zeros and is not touched.
vtkSmartPointer<vtkDataArray> zerosLike(vtkDataArray* from)
{
  const auto to = vtkSmartPointer<vtkDataArray>::Take(from->NewInstance());
  to->SetName(from->GetName());
  to->SetNumberOfComponents(from->GetNumberOfComponents());
  const Index count = from->GetNumberOfValues();
  void* zeros = std::calloc(static_cast<std::size_t>(std::max<Index>(1, count)),
    static_cast<std::size_t>(from->GetDataTypeSize()));
  if (!zeros)
  {
    throw std::bad_alloc();
  }
  to->SetVoidArray(zeros, count, 0, vtkAbstractArray::VTK_DATA_ARRAY_FREE);
  return to;
}

} // namespace

//----------------------------------------------------------------------------
Box storedBox(vtkImageData* image)
{
  return scalarsOf(image) ? Box::fromExtent(image->GetExtent()) : Box();
}

//----------------------------------------------------------------------------
std::vector<LabelBox> labelBoxes(vtkImageData* image)
{
  std::vector<LabelBox> boxes;
  const Box box = storedBox(image);
  withValues(scalarsOf(image),
    [&](auto* first, Index count)
    {
      if (count == box.size()) // one component
      {
        boxes = boxesOf(first, box);
      }
    });
  return boxes;
}

//----------------------------------------------------------------------------
LabelBox findLabel(const std::vector<LabelBox>& labels, Index label)
{
  const auto found = std::lower_bound(labels.begin(), labels.end(), label,
    [](const LabelBox& entry, Index value) { return entry.label < value; });
  return found != labels.end() && found->label == label ? *found : LabelBox{ label, 0, Box() };
}

//----------------------------------------------------------------------------
vtkSmartPointer<vtkImageData> copyOfLabel(vtkImageData* image, Index label)
{
  const auto copy = vtkSmartPointer<vtkImageData>::Take(image->NewInstance());
  vtkDataArray* scalars = scalarsOf(image);
  if (!scalars)
  {
    copy->DeepCopy(image);
    return copy;
  }
  // All but the scalars by value; those are read once and never copied whole.
  const auto rest = vtkSmartPointer<vtkImageData>::Take(image->NewInstance());
  rest->ShallowCopy(image);
  rest->GetPointData()->SetScalars(nullptr);
  copy->DeepCopy(rest);
  const vtkSmartPointer<vtkDataArray> own = zerosLike(scalars);
  withValues(scalars,
    [&](auto* first, Index count)
    {
      using T = std::decay_t<decltype(*first)>;
      T* target = static_cast<T*>(own->GetVoidPointer(0));
      forLabel(first, count, label, [first, target](Index i) { target[i] = first[i]; });
    });
  copy->GetPointData()->SetScalars(own);
  return copy;
}

//----------------------------------------------------------------------------
vtkSmartPointer<vtkImageData> takeOutLabel(vtkImageData* image, Index label)
{
  const auto taken = vtkSmartPointer<vtkImageData>::Take(image->NewInstance());
  taken->CopyStructure(image);
  vtkDataArray* from = scalarsOf(image);
  if (!from)
  {
    return taken;
  }
  const vtkSmartPointer<vtkDataArray> to = zerosLike(from);
  withValues(from,
    [&](auto* first, Index count)
    {
      using T = std::decay_t<decltype(*first)>;
      T* target = static_cast<T*>(to->GetVoidPointer(0));
      forLabel(first, count, label,
        [first, target](Index i)
        {
          target[i] = T(1);
          first[i] = T(0);
        });
    });
  from->Modified(); // its range; not the image
  taken->GetPointData()->SetScalars(to);
  return taken;
}

//----------------------------------------------------------------------------
void eraseLabels(vtkImageData* image, const std::vector<Index>& labels)
{
  RankTable erased;
  for (const Index label : labels)
  {
    erased.set(label, 0);
  }
  vtkDataArray* scalars = scalarsOf(image);
  withValues(scalars,
    [&](auto* first, Index count)
    {
      using T = std::decay_t<decltype(*first)>;
      if (labels.size() == 1)
      {
        forLabel(first, count, labels[0], [first](Index i) { first[i] = T(0); });
        return;
      }
      forRanges(count, Grain,
        [&](Index begin, Index end)
        {
          T last = T(0);
          bool erase = false;
          for (Index i = begin; i < end; ++i)
          {
            if (first[i] != last)
            {
              last = first[i];
              Index label = 0;
              erase = toLabel(last, label) && erased[label] == 0;
            }
            if (erase)
            {
              first[i] = T(0);
            }
          }
        });
    });
  if (scalars)
  {
    scalars->Modified();
  }
}

//----------------------------------------------------------------------------
int typeForLabel(int type, Index label)
{
  const double value = static_cast<double>(label);
  if (value >= vtkDataArray::GetDataTypeMin(type) && value <= vtkDataArray::GetDataTypeMax(type))
  {
    return type;
  }
  const double low = std::min(value, vtkDataArray::GetDataTypeMin(type));
  const double high = std::max(value, vtkDataArray::GetDataTypeMax(type));
  for (const int wider :
    { VTK_UNSIGNED_CHAR, VTK_CHAR, VTK_UNSIGNED_SHORT, VTK_SHORT, VTK_UNSIGNED_INT, VTK_INT })
  {
    if (vtkDataArray::GetDataTypeMin(wider) <= low && vtkDataArray::GetDataTypeMax(wider) >= high)
    {
      return wider;
    }
  }
  return type;
}

//----------------------------------------------------------------------------
bool widenForLabel(vtkImageData* image, Index label)
{
  vtkDataArray* from = scalarsOf(image);
  const int type = from ? typeForLabel(from->GetDataType(), label) : VTK_VOID;
  if (!from || type == from->GetDataType())
  {
    return false;
  }
  const auto to = vtkSmartPointer<vtkDataArray>::Take(vtkDataArray::CreateDataArray(type));
  to->DeepCopy(from); // converts
  to->SetName(from->GetName());
  image->GetPointData()->SetScalars(to);
  return true;
}

//----------------------------------------------------------------------------
RankedLayer rankedLayer(vtkImageData* image, const RankTable& table)
{
  RankedLayer layer;
  const Box box = storedBox(image);
  withValues(scalarsOf(image),
    [&](auto* first, Index count)
    {
      if (count == box.size())
      {
        layer = makeRankedLayer(first, box, table);
      }
    });
  return layer;
}

//----------------------------------------------------------------------------
void mergeInto(
  vtkImageData* merged, const std::vector<RankedLayer>& layers, const std::vector<int>& values)
{
  const Box box = storedBox(merged);
  withValues(scalarsOf(merged),
    [&](auto* first, Index)
    {
      using T = std::decay_t<decltype(*first)>;
      std::vector<T> typed(values.size());
      std::transform(values.begin(), values.end(), typed.begin(),
        [](int value) { return static_cast<T>(value); });
      mergeLayers(layers, typed, first, box);
    });
}

//----------------------------------------------------------------------------
BitBlock bitsOfLabel(vtkImageData* image, const Box& box, Index firstX, Index label)
{
  BitBlock bits;
  withValues(scalarsOf(image),
    [&](auto* first, Index)
    {
      using T = std::decay_t<decltype(*first)>;
      bits = packBlock(first, storedBox(image), box, firstX, LabelTest<T>(label));
    });
  return bits;
}

//----------------------------------------------------------------------------
BitBlock bitsOfAll(vtkImageData* image, Index firstX)
{
  BitBlock bits;
  const Box box = storedBox(image);
  withValues(scalarsOf(image),
    [&](auto* first, Index)
    {
      using T = std::decay_t<decltype(*first)>;
      bits = packBlock(first, box, box, firstX, [](T value) { return value != T(0); });
    });
  return bits;
}

//----------------------------------------------------------------------------
void writeLabel(vtkImageData* image, const BitBlock& bits, Index label)
{
  withValues(scalarsOf(image),
    [&](auto* first, Index)
    {
      using T = std::decay_t<decltype(*first)>;
      writeBlock(first, storedBox(image), bits, static_cast<T>(label));
    });
}

//----------------------------------------------------------------------------
void allocateFrom(vtkImageData* image, const Box& box, int type, vtkImageData* from)
{
  int extent[6];
  box.toExtent(extent);
  image->SetExtent(extent);
  image->AllocateScalars(type, 1);
  const Box source = storedBox(from);
  vtkDataArray* to = scalarsOf(image);
  withValues(to,
    [&](auto* target, Index)
    {
      using To = std::decay_t<decltype(*target)>;
      const auto copyRows = [&](auto* first)
      {
        forRanges(box.rows(), std::max<Index>(1, Grain / std::max<Index>(1, box.dim(0))),
          [&](Index begin, Index end)
          {
            for (Index r = begin; r < end; ++r)
            {
              const Index y = box.lo[1] + r % box.dim(1);
              const Index z = box.lo[2] + r / box.dim(1);
              To* row = target + r * box.dim(0);
              std::fill(row, row + box.dim(0), To(0));
              const Index x0 = std::max(box.lo[0], source.lo[0]);
              const Index x1 = std::min(box.hi[0], source.hi[0]);
              if (first && x0 <= x1 && source.contains(x0, y, z))
              {
                std::transform(first + source.offset(x0, y, z), first + source.offset(x1, y, z) + 1,
                  row + (x0 - box.lo[0]), [](auto value) { return static_cast<To>(value); });
              }
            }
          });
      };
      vtkDataArray* values = source.empty() ? nullptr : scalarsOf(from);
      switch (values ? values->GetDataType() : VTK_VOID)
      {
        segcoreTemplateMacro(copyRows(static_cast<VTK_TT*>(values->GetVoidPointer(0))));
        default:
          copyRows(static_cast<To*>(nullptr));
      }
    });
}

} // namespace segcore
