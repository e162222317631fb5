// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Signs of small determinants, without rounding.
///
/// The elements must be such that no product of two or three of them, nor its rounding error,
/// leaves the range of double: differences of coordinates that are multiples of 2^-28 and below
/// 2^41 are. Only used where plain arithmetic does not decide. About 1 microsecond for 3 x 3.
/// Source: Shewchuk, Discrete Comput. Geom. 18 (1997), doi:10.1007/PL00009321.

#ifndef segcoreExactSign_h
#define segcoreExactSign_h

#include <cmath>

namespace segcore
{

/// product + error == a * b, exactly.
inline void exactProduct(double a, double b, double& product, double& error)
{
  product = a * b;
  error = std::fma(a, b, -product);
}

/// Sign of a d - b c: -1, 0 or 1.
inline int exactSign2(double a, double b, double c, double d)
{
  double ad;
  double adError;
  double bc;
  double bcError;
  exactProduct(a, d, ad, adError);
  exactProduct(b, c, bc, bcError);
  // Rounding is monotone: different rounded products are in the order of the exact ones.
  if (ad != bc)
  {
    return ad > bc ? 1 : -1;
  }
  return (adError > bcError) - (adError < bcError);
}

/// A sum of doubles without rounding: its parts do not overlap, smallest first, none is 0.
template <int Capacity>
class ExactSum
{
public:
  void add(double b)
  {
    int kept = 0;
    for (int i = 0; i < this->Count; ++i)
    {
      const double a = this->Parts[i];
      const double sum = a + b;
      const double bVirtual = sum - a;
      const double error = (a - (sum - bVirtual)) + (b - bVirtual);
      if (error != 0.0)
      {
        this->Parts[kept++] = error;
      }
      b = sum;
    }
    if (b != 0.0)
    {
      this->Parts[kept++] = b;
    }
    this->Count = kept;
  }
  void addProduct(double a, double b, double c)
  {
    double parts[2];
    exactProduct(a, b, parts[0], parts[1]);
    for (const double part : parts)
    {
      double product;
      double error;
      exactProduct(part, c, product, error);
      this->add(error);
      this->add(product);
    }
  }
  int sign() const { return this->Count == 0 ? 0 : this->Parts[this->Count - 1] > 0.0 ? 1 : -1; }

private:
  double Parts[Capacity];
  int Count = 0;
};

/// Sign of the determinant with rows u, v, w.
inline int exactSign3(const double u[3], const double v[3], const double w[3])
{
  ExactSum<24> sum;
  for (int a = 0; a < 3; ++a)
  {
    const int b = (a + 1) % 3;
    const int c = (a + 2) % 3;
    sum.addProduct(u[a], v[b], w[c]);
    sum.addProduct(-u[a], v[c], w[b]);
  }
  return sum.sign();
}

} // namespace segcore

#endif
