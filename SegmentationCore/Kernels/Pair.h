// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Pair: two doubles that are calculated at once, for loops that compilers do not vectorise.
///
/// (GCC leaves a loop with a square root alone, because it may set errno.) Every operation is exact
/// or correctly rounded, on the two as on one: using it, or the plain fallback where there is no
/// SSE2, makes no difference to a result. The same functions exist for one double, for templates.
/// No NaN: smaller() and larger() do not say which operand they return then.

#ifndef segcorePair_h
#define segcorePair_h

#include <algorithm>
#include <cmath>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace segcore
{

#ifdef __SSE2__
struct Pair
{
  __m128d v;
  Pair(__m128d a) : v(a) {}
  Pair(double a) : v(_mm_set1_pd(a)) {}
  Pair(double first, double second) : v(_mm_set_pd(second, first)) {}
  void store(double* to) const { _mm_storeu_pd(to, this->v); }
};
using PairMask = Pair;
inline Pair operator+(Pair a, Pair b)
{
  return _mm_add_pd(a.v, b.v);
}
inline Pair operator-(Pair a, Pair b)
{
  return _mm_sub_pd(a.v, b.v);
}
inline Pair operator*(Pair a, Pair b)
{
  return _mm_mul_pd(a.v, b.v);
}
inline Pair smaller(Pair a, Pair b)
{
  return _mm_min_pd(a.v, b.v);
}
inline Pair larger(Pair a, Pair b)
{
  return _mm_max_pd(a.v, b.v);
}
inline Pair root(Pair a)
{
  return _mm_sqrt_pd(a.v);
}
inline PairMask operator<(Pair a, Pair b)
{
  return _mm_cmplt_pd(a.v, b.v);
}
inline PairMask either(PairMask a, PairMask b)
{
  return _mm_or_pd(a.v, b.v);
}
inline Pair choose(PairMask which, Pair yes, Pair no)
{
  return _mm_or_pd(_mm_and_pd(which.v, yes.v), _mm_andnot_pd(which.v, no.v));
}
#else
struct Pair
{
  double v[2];
  Pair(double a) : v{ a, a } {}
  Pair(double first, double second) : v{ first, second } {}
  void store(double* to) const { std::copy(this->v, this->v + 2, to); }
};
struct PairMask
{
  bool v[2];
};
inline Pair operator+(Pair a, Pair b)
{
  return { a.v[0] + b.v[0], a.v[1] + b.v[1] };
}
inline Pair operator-(Pair a, Pair b)
{
  return { a.v[0] - b.v[0], a.v[1] - b.v[1] };
}
inline Pair operator*(Pair a, Pair b)
{
  return { a.v[0] * b.v[0], a.v[1] * b.v[1] };
}
inline Pair smaller(Pair a, Pair b)
{
  return { std::min(a.v[0], b.v[0]), std::min(a.v[1], b.v[1]) };
}
inline Pair larger(Pair a, Pair b)
{
  return { std::max(a.v[0], b.v[0]), std::max(a.v[1], b.v[1]) };
}
inline Pair root(Pair a)
{
  return { std::sqrt(a.v[0]), std::sqrt(a.v[1]) };
}
inline PairMask operator<(Pair a, Pair b)
{
  return { { a.v[0] < b.v[0], a.v[1] < b.v[1] } };
}
inline PairMask either(PairMask a, PairMask b)
{
  return { { a.v[0] || b.v[0], a.v[1] || b.v[1] } };
}
inline Pair choose(PairMask which, Pair yes, Pair no)
{
  return { which.v[0] ? yes.v[0] : no.v[0], which.v[1] ? yes.v[1] : no.v[1] };
}
#endif
inline double smaller(double a, double b)
{
  return std::min(a, b);
}
inline double larger(double a, double b)
{
  return std::max(a, b);
}
inline double root(double a)
{
  return std::sqrt(a);
}

} // namespace segcore

#endif
