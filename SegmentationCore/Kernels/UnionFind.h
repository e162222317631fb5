// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// UnionFind: disjoint sets of the integers 0..n-1 whose representative is always the smallest
/// member.
///
/// A flat array of parents with parent[i] <= i at all times. find() halves paths; join() hangs the
/// larger root below the smaller one. So the representative does not depend on the order of the
/// joins, and one ascending pass `parent[i] = parent[parent[i]]` (flatten) resolves every member.
/// The free functions work on any part of an array that one thread owns; the class owns its array.
/// Cost: O(log n) per operation at worst, in practice constant. Memory: sizeof(Id) per element.
/// Sources: Tarjan, van Leeuwen, J. ACM 31 (1984), doi:10.1145/62.2160 (path halving); Wu, Otoo,
/// Suzuki, Pattern Anal. Appl. 12 (2009), doi:10.1007/s10044-008-0109-y (flat array, minimum label
/// as root).

#ifndef segcoreUnionFind_h
#define segcoreUnionFind_h

#include <cstddef>
#include <numeric>
#include <vector>

namespace segcore
{

template <class Id>
Id findRoot(Id* parent, Id i)
{
  while (parent[i] != i)
  {
    parent[i] = parent[parent[i]];
    i = parent[i];
  }
  return i;
}

/// Returns the common root.
template <class Id>
Id joinRoots(Id* parent, Id a, Id b)
{
  a = findRoot(parent, a);
  b = findRoot(parent, b);
  if (b < a)
  {
    parent[a] = b;
    return b;
  }
  parent[b] = a;
  return a;
}

template <class Id>
class UnionFind
{
public:
  explicit UnionFind(std::size_t count = 0) : Parent_(count)
  {
    std::iota(this->Parent_.begin(), this->Parent_.end(), Id{ 0 });
  }

  std::size_t size() const { return this->Parent_.size(); }

  /// A new set with one member, whose number is returned.
  Id add()
  {
    this->Parent_.push_back(static_cast<Id>(this->Parent_.size()));
    return this->Parent_.back();
  }

  /// The smallest member of the set of i.
  Id find(Id i) { return findRoot(this->Parent_.data(), i); }

  Id join(Id a, Id b) { return joinRoots(this->Parent_.data(), a, b); }

  /// The representative of every element.
  const std::vector<Id>& flatten()
  {
    for (Id& p : this->Parent_)
    {
      p = this->Parent_[static_cast<std::size_t>(p)];
    }
    return this->Parent_;
  }

private:
  std::vector<Id> Parent_;
};

} // namespace segcore

#endif
