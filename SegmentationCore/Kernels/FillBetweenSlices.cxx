// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "FillBetweenSlices.h"

#include "UnionFind.h"

#include <cmath>
#include <limits>
#include <stdexcept>

namespace segcore
{

namespace
{

/// A distance along v that is none: there is nothing on that line.
constexpr std::int32_t Far = 1 << 29;
constexpr Index None = std::numeric_limits<Index>::max();
/// How far along u the nearest pixel is looked for before the whole row is worked out.
constexpr Index Near = 12;
/// Parts that lie above nothing are linked if a slice has no more of them.
constexpr std::size_t MostLinks = 1000;
const double Pi = std::acos(-1.0);

/// The nearest whole number; halves towards 0.
Index rounded(double value)
{
  const Index whole = static_cast<Index>(std::ceil(std::fabs(value) - 0.5));
  return value < 0.0 ? -whole : whole;
}

/// Part k / n of a whole move; halves towards the middle of it. The move is even if n is.
Index partOf(Index move, Index k, Index n)
{
  const Index length = k * std::abs(move);
  Index part = length / n;
  const Index twice = 2 * (length % n);
  part += twice > n || (twice == n && 2 * k < n) ? 1 : 0;
  return move < 0 ? -part : part;
}

/// How many of the slices 1 .. n - 1 a pixel is inside, counted from the one that has it: as long
/// as (n - k) sqrt(own) >= k sqrt(other).
Index reach(Index own, Index other, Index n)
{
  const double a = static_cast<double>(own);
  const double b = static_cast<double>(other);
  const auto inside = [a, b, n](Index k)
  {
    const double left = static_cast<double>(n - k);
    const double done = static_cast<double>(k);
    return left * left * a >= done * done * b;
  };
  Index k = 0;
  if (n > 8)
  {
    const double root = std::sqrt(a);
    k = static_cast<Index>(static_cast<double>(n) * (root / (root + std::sqrt(b))));
    k = std::clamp<Index>(k, 0, n - 1);
    while (k > 0 && !inside(k))
    {
      --k;
    }
  }
  while (k + 1 < n && inside(k + 1))
  {
    ++k;
  }
  return k;
}

/// The same for a part that ends: as long as n sqrt(own) > 2 k sqrt(largest).
Index reachOfEnd(Index own, Index largest, Index n)
{
  const double a = static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(own);
  Index k = 0;
  if (n > 8)
  {
    k = static_cast<Index>(0.5 * static_cast<double>(n) *
      std::sqrt(static_cast<double>(own) / static_cast<double>(largest)));
    k = std::max<Index>(0, k - 2);
  }
  while (k + 1 < n)
  {
    const double done = static_cast<double>(2 * (k + 1));
    if (!(a > done * done * static_cast<double>(largest)))
    {
      break;
    }
    ++k;
  }
  return k;
}

} // namespace

/// Some runs of a slice, moved.
struct SliceInterpolator::Set
{
  std::vector<SliceRun> runs;
  SliceBox image; ///< What is outside of it is neither in the set nor its background.
  Index area = 0;
  Index sums[2] = { 0, 0 };

  void add(const SliceRun& run)
  {
    const Index count = run.u1 - run.u0 + 1;
    this->runs.push_back(run);
    this->area += count;
    // Twice the sum of u - u0 - (u1 - u0) / 2 over the image: changes its sign if mirrored.
    this->sums[0] += count * (run.u0 + run.u1 - this->image.u0 - this->image.u1);
    this->sums[1] += count * (2 * run.v - this->image.v0 - this->image.v1);
  }

  /// Of the area, from the middle of the image.
  double centre(int axis) const
  {
    return 0.5 * (static_cast<double>(this->sums[axis]) / static_cast<double>(this->area));
  }

  void move(const Index by[2])
  {
    for (SliceRun& run : this->runs)
    {
      run.u0 += by[0];
      run.u1 += by[0];
      run.v += by[1];
    }
    this->image.u0 += by[0];
    this->image.u1 += by[0];
    this->image.v0 += by[1];
    this->image.v1 += by[1];
  }

  /// A set without background sees it beyond the image.
  void openImage()
  {
    if (this->area == (this->image.u1 - this->image.u0 + 1) * (this->image.v1 - this->image.v0 + 1))
    {
      this->image = { this->image.u0 - 1, this->image.v0 - 1, this->image.u1 + 1,
        this->image.v1 + 1 };
    }
  }

  /// Pixels in common with another set that moves.
  Index common(const Set& other, Index moveU, Index moveV) const
  {
    Index count = 0;
    auto b = other.runs.begin();
    for (auto a = this->runs.begin(); a != this->runs.end() && b != other.runs.end();)
    {
      const Index v = b->v + moveV;
      if (a->v != v)
      {
        a->v < v ? ++a : (++b, a);
        continue;
      }
      count +=
        std::max<Index>(0, std::min(a->u1, b->u1 + moveU) - std::max(a->u0, b->u0 + moveU) + 1);
      a->u1 < b->u1 + moveU ? ++a : (++b, a);
    }
    return count;
  }
};

SliceInterpolator::SliceInterpolator(double spacingU, double spacingV)
{
  if (!(spacingU > 0.0 && spacingV > 0.0))
  {
    throw std::invalid_argument("segcore::SliceInterpolator: spacing must be positive");
  }
  this->Weight[0] = this->Weight[1] = 1;
  if (spacingU != spacingV)
  {
    constexpr double Unit = 4096.0;
    const int larger = spacingU > spacingV ? 0 : 1;
    const double ratio =
      std::min(512.0, std::max(spacingU, spacingV) / std::min(spacingU, spacingV));
    this->Weight[larger] = static_cast<Index>(std::floor(ratio * ratio * Unit + 0.5));
    this->Weight[1 - larger] = static_cast<Index>(Unit);
  }
}

void SliceInterpolator::fill(const std::vector<SliceRun>& first, const std::vector<SliceRun>& last,
  const SliceBox& image, Index n, std::vector<FilledRun>& out)
{
  if (n < 1)
  {
    throw std::invalid_argument("segcore::SliceInterpolator: the slices must be 1 or more apart");
  }
  if (n == 1 || (first.empty() && last.empty()))
  {
    return;
  }
  const std::size_t ofFirst = first.size();
  UnionFind<std::size_t> parts(first.size() + last.size());
  // Joins runs of rows v (of a) and v + step (of b) that overlap if one is `grown` by a pixel.
  const auto joinRows = [&parts](const std::vector<SliceRun>& a, std::size_t baseA,
                          const std::vector<SliceRun>& b, std::size_t baseB, Index step,
                          Index grown)
  {
    std::size_t j = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
    {
      const Index v = a[i].v + step;
      while (j < b.size() && (b[j].v < v || (b[j].v == v && b[j].u1 + grown < a[i].u0)))
      {
        ++j;
      }
      for (std::size_t k = j; k < b.size() && b[k].v == v && b[k].u0 <= a[i].u1 + grown; ++k)
      {
        parts.join(baseA + i, baseB + k);
      }
    }
  };
  joinRows(first, 0, first, 0, 1, 1);
  joinRows(last, ofFirst, last, ofFirst, 1, 1);
  joinRows(first, 0, last, ofFirst, 0, 0);

  std::vector<std::size_t> groups;
  std::vector<std::size_t> numberOf(parts.size());
  for (std::size_t run = 0; run < parts.size(); ++run)
  {
    const std::size_t root = parts.find(run);
    if (root == run)
    {
      numberOf[run] = groups.size();
      groups.push_back(run);
    }
    numberOf[run] = numberOf[root];
  }
  const Set nothing{ {}, image };
  std::vector<Set> sets(2 * groups.size(), nothing);
  for (std::size_t run = 0; run < parts.size(); ++run)
  {
    const bool isFirst = run < ofFirst;
    sets[2 * numberOf[run] + (isFirst ? 0 : 1)].add(isFirst ? first[run] : last[run - ofFirst]);
  }
  this->link(sets);
  for (std::size_t group = 0; group < groups.size(); ++group)
  {
    const Set& a = sets[2 * group];
    const Set& b = sets[2 * group + 1];
    if (a.area && b.area)
    {
      this->between(a, b, n, out);
    }
    else if (a.area || b.area)
    {
      this->end(a.area ? a : b, a.area != 0, n, out);
    }
  }
}

/// Parts that lie above nothing go together if each is the other's nearest.
void SliceInterpolator::link(std::vector<Set>& sets) const
{
  std::vector<std::size_t> alone[2];
  for (std::size_t set = 0; set < sets.size(); ++set)
  {
    if (sets[set].area && !sets[set ^ 1].area)
    {
      alone[set & 1].push_back(set);
    }
  }
  if (std::max(alone[0].size(), alone[1].size()) > MostLinks)
  {
    return;
  }
  const auto square = [&](std::size_t a, std::size_t b)
  {
    double lengths[2];
    for (int axis = 0; axis < 2; ++axis)
    {
      const double offset = sets[b].centre(axis) - sets[a].centre(axis);
      lengths[axis] = static_cast<double>(this->Weight[axis]) * (offset * offset);
    }
    return lengths[0] + lengths[1];
  };
  // The nearest one, or `set` itself if there is none, or are two.
  const auto nearest = [&](std::size_t set)
  {
    std::size_t found = set;
    double least = std::numeric_limits<double>::infinity();
    for (const std::size_t other : alone[1 - (set & 1)])
    {
      const double distance = square(set, other);
      found = distance < least ? other : (distance == least ? set : found);
      least = std::min(least, distance);
    }
    return found;
  };
  const double pixel = std::sqrt(static_cast<double>(this->Weight[0])) *
    std::sqrt(static_cast<double>(this->Weight[1]));
  std::vector<std::pair<std::size_t, std::size_t>> links;
  for (const std::size_t a : alone[0])
  {
    const std::size_t b = nearest(a);
    if (b == a || nearest(b) != a)
    {
      continue;
    }
    const double diameters = std::sqrt(pixel * static_cast<double>(sets[a].area)) +
      std::sqrt(pixel * static_cast<double>(sets[b].area));
    // A disc has the diameter 2 sqrt(area / pi).
    if (square(a, b) <= diameters * diameters * (4.0 / Pi))
    {
      links.emplace_back(a, b);
    }
  }
  for (const auto& [a, b] : links)
  {
    std::swap(sets[a + 1], sets[b]);
  }
}

void SliceInterpolator::between(const Set& a, const Set& b, Index n, std::vector<FilledRun>& out)
{
  Index move[2];
  for (int axis = 0; axis < 2; ++axis)
  {
    const double offset = b.centre(axis) - a.centre(axis);
    move[axis] = n % 2 ? rounded(offset) : 2 * rounded(0.5 * offset);
  }
  const Index back[2] = { -move[0], -move[1] };
  Set moved = b;
  const Index common = a.common(b, 0, 0);
  if (2 * common < std::min(a.area, b.area) && a.common(b, back[0], back[1]) > common)
  {
    moved.move(back);
  }
  else
  {
    move[0] = move[1] = 0;
  }
  Set fixed = a;
  fixed.openImage();
  moved.openImage();
  this->openBox(fixed, moved);
  this->sweep(fixed, this->First);
  this->sweep(moved, this->Last);

  for (Index v = this->Grid.v0; v <= this->Grid.v1; ++v)
  {
    std::int32_t* inFirst = this->First.data() + (v - this->Grid.v0) * this->Width;
    std::int32_t* inLast = this->Last.data() + (v - this->Grid.v0) * this->Width;
    this->Wanted[0].clear();
    this->Wanted[1].clear();
    for (Index u = 0; u < this->Width; ++u)
    {
      if ((inFirst[u] > 0) != (inLast[u] > 0))
      {
        this->Wanted[inFirst[u] > 0 ? 0 : 1].push_back(u);
      }
    }
    const Index left = this->Grid.u0;
    for (int side = 0; side < 2; ++side)
    {
      const Set& own = side == 0 ? fixed : moved;
      this->squares(side == 0 ? inFirst : inLast, 1, std::max<Index>(0, own.image.u0 - left),
        std::min(this->Width, own.image.u1 - left + 1), this->Wanted[side], this->Squares[side]);
      this->squares(side == 0 ? inLast : inFirst, -1, 0, this->Width, this->Wanted[side],
        this->Squares[2 + side]);
    }
    // From here on: the first and the last slice that have the pixel.
    for (Index u = 0; u < this->Width; ++u)
    {
      const bool both = inFirst[u] > 0 && inLast[u] > 0;
      inFirst[u] = 1;
      inLast[u] = both ? static_cast<std::int32_t>(n - 1) : 0;
    }
    for (int side = 0; side < 2; ++side)
    {
      for (std::size_t i = 0; i < this->Wanted[side].size(); ++i)
      {
        const Index u = this->Wanted[side][i];
        const Index k = reach(this->Squares[side][i], this->Squares[2 + side][i], n);
        inFirst[u] = static_cast<std::int32_t>(side == 0 ? 1 : n - k);
        inLast[u] = static_cast<std::int32_t>(side == 0 ? k : n - 1);
      }
    }
  }
  this->emit(a, move, n, out);
}

void SliceInterpolator::end(const Set& a, bool atFirst, Index n, std::vector<FilledRun>& out)
{
  Set set = a;
  set.openImage();
  this->openBox(set, set);
  this->sweep(set, this->First);
  const Index rows = this->Grid.v1 - this->Grid.v0 + 1;
  std::vector<Index> squares;
  Index largest = 0;
  const auto forRows = [&](const auto& work)
  {
    std::size_t at = 0;
    for (Index r = 0; r < rows; ++r)
    {
      const std::int32_t* row = this->First.data() + r * this->Width;
      for (Index u = 0; u < this->Width; ++u)
      {
        if (row[u] > 0)
        {
          work(r * this->Width + u, at++);
        }
      }
    }
  };
  for (Index r = 0; r < rows; ++r)
  {
    const std::int32_t* row = this->First.data() + r * this->Width;
    this->Wanted[0].clear();
    for (Index u = 0; u < this->Width; ++u)
    {
      if (row[u] > 0)
      {
        this->Wanted[0].push_back(u);
      }
    }
    this->squares(row, 1, std::max<Index>(0, set.image.u0 - this->Grid.u0),
      std::min(this->Width, set.image.u1 - this->Grid.u0 + 1), this->Wanted[0], this->Squares[0]);
    squares.insert(squares.end(), this->Squares[0].begin(), this->Squares[0].end());
  }
  for (const Index square : squares)
  {
    largest = std::max(largest, square);
  }
  std::fill(this->Last.begin(), this->Last.end(), 0);
  std::vector<std::int32_t>& kept = this->Last;
  forRows(
    [&](Index pixel, std::size_t at)
    {
      kept[static_cast<std::size_t>(pixel)] =
        static_cast<std::int32_t>(reachOfEnd(squares[at], largest, n));
    });
  for (std::size_t pixel = 0; pixel < kept.size(); ++pixel)
  {
    const std::int32_t k = kept[pixel];
    this->First[pixel] = atFirst ? 1 : static_cast<std::int32_t>(n) - k;
    kept[pixel] = atFirst ? k : static_cast<std::int32_t>(n - 1);
  }
  const Index stay[2] = { 0, 0 };
  this->emit(a, stay, n, out);
}

/// The grid: the box of both sets with a pixel around.
void SliceInterpolator::openBox(const Set& a, const Set& b)
{
  SliceBox& grid = this->Grid;
  grid = { None, None, -None, -None };
  for (const Set* set : { &a, &b })
  {
    for (const SliceRun& run : set->runs)
    {
      grid.u0 = std::min(grid.u0, run.u0 - 1);
      grid.u1 = std::max(grid.u1, run.u1 + 1);
      grid.v0 = std::min(grid.v0, run.v - 1);
      grid.v1 = std::max(grid.v1, run.v + 1);
    }
  }
  this->Width = grid.u1 - grid.u0 + 1;
  const std::size_t size = static_cast<std::size_t>(this->Width * (grid.v1 - grid.v0 + 1));
  this->First.resize(size);
  this->Last.resize(size);
}

/// Distances along v to the nearest pixel of the other sort: positive in the set, negative outside.
void SliceInterpolator::sweep(const Set& set, std::vector<std::int32_t>& distances) const
{
  const Index width = this->Width;
  const Index rows = this->Grid.v1 - this->Grid.v0 + 1;
  std::int32_t* const data = distances.data();
  auto run = set.runs.begin();
  for (Index r = 0; r < rows; ++r)
  {
    // First 1 inside and -1 outside, then times the distance to a pixel with a lower v.
    std::int32_t* row = data + r * width;
    std::fill(row, row + width, -1);
    for (; run != set.runs.end() && run->v == this->Grid.v0 + r; ++run)
    {
      std::fill(row + (run->u0 - this->Grid.u0), row + (run->u1 - this->Grid.u0 + 1), 1);
    }
    if (r == 0)
    {
      std::transform(row, row + width, row, [](std::int32_t phase) { return phase * Far; });
      continue;
    }
    const std::int32_t* before = row - width;
    // At the border of the image nothing is known of the pixel before.
    const std::int32_t inside = this->Grid.v0 + r == set.image.v0 ? Far : 1;
    for (Index u = 0; u < width; ++u)
    {
      const bool is = row[u] > 0;
      const bool was = before[u] > 0;
      const std::int32_t far = std::min(Far, std::abs(before[u]) + 1);
      const std::int32_t distance = is == was ? far : (is ? inside : 1);
      row[u] = is ? distance : -distance;
    }
  }
  // Then the other way.
  std::vector<std::int32_t> next(static_cast<std::size_t>(width), Far);
  for (Index r = rows - 2; r >= 0; --r)
  {
    std::int32_t* row = data + r * width;
    const std::int32_t* after = row + width;
    const std::int32_t inside = this->Grid.v0 + r == set.image.v1 ? Far : 1;
    for (Index u = 0; u < width; ++u)
    {
      const bool is = row[u] > 0;
      const bool was = after[u] > 0;
      const std::int32_t far = std::min(Far, next[static_cast<std::size_t>(u)] + 1);
      const std::int32_t distance = is == was ? far : (is ? inside : 1);
      next[static_cast<std::size_t>(u)] = distance;
      const std::int32_t least = std::min(distance, std::abs(row[u]));
      row[u] = is ? least : -least;
    }
  }
}

/// For each of the pixels u of a row: the weighted square of the distance to the nearest pixel of
/// the other sort. All `wanted` are inside the set if the phase is 1, outside if -1. Only pixels
/// begin .. end - 1 count.
void SliceInterpolator::squares(const std::int32_t* row, int phase, Index begin, Index end,
  const std::vector<Index>& wanted, std::vector<Index>& result)
{
  const Index along = this->Weight[0];
  const Index across = this->Weight[1];
  const auto height = [&](Index u)
  {
    const std::int32_t distance = phase * row[u];
    if (distance <= 0)
    {
      return Index{ 0 };
    }
    return distance >= Far ? None : across * distance * distance;
  };
  result.resize(wanted.size());
  bool ready = false;
  std::size_t top = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i)
  {
    const Index u = wanted[i];
    Index best = height(u);
    Index d = 1;
    for (; d <= Near && along * d * d < best; ++d)
    {
      Index other = u - d >= begin ? height(u - d) : None;
      other = std::min(other, u + d < end ? height(u + d) : None);
      best = other == None ? best : std::min(best, other + along * d * d);
    }
    if (along * d * d >= best || d <= Near)
    {
      result[i] = best;
      continue;
    }
    if (!ready)
    {
      // The lower envelope of the parabolas of the row, each from where it is the lowest.
      ready = true;
      this->Tops.clear();
      this->Starts.clear();
      for (Index t = begin; t < end; ++t)
      {
        const Index h = height(t);
        if (h == None)
        {
          continue;
        }
        Index start = begin;
        while (!this->Tops.empty())
        {
          const Index s = this->Tops.back();
          const Index difference = h - height(s) + along * (t * t - s * s);
          const Index twice = 2 * along * (t - s);
          // The first u at which t is not worse than s.
          start = difference > 0 ? (difference + twice - 1) / twice : -(-difference / twice);
          if (start > this->Starts.back())
          {
            break;
          }
          this->Tops.pop_back();
          this->Starts.pop_back();
          start = begin;
        }
        if (start < end)
        {
          this->Tops.push_back(t);
          this->Starts.push_back(start);
        }
      }
    }
    while (top + 1 < this->Tops.size() && this->Starts[top + 1] <= u)
    {
      ++top;
    }
    const Index t = this->Tops[top];
    result[i] = height(t) + along * (u - t) * (u - t);
  }
}

void SliceInterpolator::emit(
  const Set& a, const Index move[2], Index n, std::vector<FilledRun>& out) const
{
  const SliceBox& image = a.image;
  const Index rows = this->Grid.v1 - this->Grid.v0 + 1;
  for (Index k = 1; k < n; ++k)
  {
    const Index left = this->Grid.u0 + partOf(move[0], k, n);
    const Index low = this->Grid.v0 + partOf(move[1], k, n);
    for (Index r = std::max<Index>(0, image.v0 - low); r < std::min(rows, image.v1 - low + 1); ++r)
    {
      const std::int32_t* from = this->First.data() + r * this->Width;
      const std::int32_t* to = this->Last.data() + r * this->Width;
      const auto inside = [from, to, k](Index u) { return from[u] <= k && k <= to[u]; };
      const Index end = std::min(this->Width, image.u1 - left + 1);
      for (Index u = std::max<Index>(0, image.u0 - left); u < end; ++u)
      {
        if (inside(u))
        {
          const Index begin = u;
          while (u + 1 < end && inside(u + 1))
          {
            ++u;
          }
          out.push_back({ k, low + r, left + begin, left + u });
        }
      }
    }
  }
}

} // namespace segcore
