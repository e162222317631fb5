// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// Columns of the tables that queries give.
///
/// Private to the filters.
#ifndef segcore_TableColumns_h
#define segcore_TableColumns_h

#include "vtkNew.h"
#include "vtkTable.h"
#include "vtkType.h"

#include <cstddef>

namespace segcore
{

/// Appends a column with value(row, component).
template <class Array, class Value>
void addColumn(
  vtkTable* table, const char* name, std::size_t rows, int components, const Value& value)
{
  vtkNew<Array> column;
  column->SetName(name);
  column->SetNumberOfComponents(components);
  column->SetNumberOfTuples(static_cast<vtkIdType>(rows));
  for (std::size_t row = 0; row < rows; ++row)
  {
    for (int c = 0; c < components; ++c)
    {
      column->SetTypedComponent(static_cast<vtkIdType>(row), c, value(row, c));
    }
  }
  table->AddColumn(column);
}

} // namespace segcore

#endif
