// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause
/// \file
/// From VTK's scalar types to C++: as vtkTemplateMacro, but types that are the same in all but name
/// (char and one of its kin; long, vtkIdType and long long) share one instance. Compiling the
/// filters takes a quarter less for it.
///
///     switch (image.scalarType())
///     {
///       segcoreTemplateMacro(work<VTK_TT>(...)); // all ten types
///       segcoreEqualityMacro(work<VTK_TT>(...)); // six: where values are only copied and compared
///     }                                          // for equality, signed integers are unsigned
///     ones
///
/// Private to our modules.
#ifndef segcore_ScalarTypes_h
#define segcore_ScalarTypes_h

#include "vtkType.h"

#include <cstdint>
#include <type_traits>

namespace segcore
{
namespace detail
{
template <class T>
using Integer = std::conditional_t<std::is_signed<T>::value,
  std::conditional_t<sizeof(T) == 8, long long,
    std::conditional_t<sizeof(T) == 4, int,
      std::conditional_t<sizeof(T) == 2, short, signed char>>>,
  std::conditional_t<sizeof(T) == 8, unsigned long long,
    std::conditional_t<sizeof(T) == 4, unsigned int,
      std::conditional_t<sizeof(T) == 2, unsigned short, unsigned char>>>>;
}

/// The one of VTK's scalar types that stands for T.
template <class T>
struct Scalar
{
  using Value = detail::Integer<T>;
  using Bits = std::make_unsigned_t<detail::Integer<T>>;
};
template <>
struct Scalar<float>
{
  using Value = float;
  using Bits = float;
};
template <>
struct Scalar<double>
{
  using Value = double;
  using Bits = double;
};
}

#define segcoreScalarCase(number, type, kind, call)                                                \
  case number:                                                                                     \
  {                                                                                                \
    typedef segcore::Scalar<type>::kind VTK_TT;                                                    \
    call;                                                                                          \
  }                                                                                                \
  break

#define segcoreScalarCases(kind, call)                                                             \
  segcoreScalarCase(VTK_DOUBLE, double, kind, call);                                               \
  segcoreScalarCase(VTK_FLOAT, float, kind, call);                                                 \
  segcoreScalarCase(VTK_LONG_LONG, long long, kind, call);                                         \
  segcoreScalarCase(VTK_UNSIGNED_LONG_LONG, unsigned long long, kind, call);                       \
  segcoreScalarCase(VTK_ID_TYPE, vtkIdType, kind, call);                                           \
  segcoreScalarCase(VTK_LONG, long, kind, call);                                                   \
  segcoreScalarCase(VTK_UNSIGNED_LONG, unsigned long, kind, call);                                 \
  segcoreScalarCase(VTK_INT, int, kind, call);                                                     \
  segcoreScalarCase(VTK_UNSIGNED_INT, unsigned int, kind, call);                                   \
  segcoreScalarCase(VTK_SHORT, short, kind, call);                                                 \
  segcoreScalarCase(VTK_UNSIGNED_SHORT, unsigned short, kind, call);                               \
  segcoreScalarCase(VTK_CHAR, char, kind, call);                                                   \
  segcoreScalarCase(VTK_SIGNED_CHAR, signed char, kind, call);                                     \
  segcoreScalarCase(VTK_UNSIGNED_CHAR, unsigned char, kind, call)

#define segcoreTemplateMacro(call) segcoreScalarCases(Value, call)
#define segcoreEqualityMacro(call) segcoreScalarCases(Bits, call)

#endif
