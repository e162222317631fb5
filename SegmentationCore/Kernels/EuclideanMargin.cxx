// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Layout: masks x fastest, one byte per voxel. Bit rows: [slice of the ring][row][length][word].

#include "EuclideanMargin.h"

#include "Buffer.h"
#include "PackBits.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <vector>

namespace segcore
{

namespace
{

constexpr Index MaximumLengths = 32;

double marginLimit(double margin)
{
  return margin * margin * (1.0 + 1e-12);
}

double square(Index k, double spacing)
{
  const double d = static_cast<double>(k) * spacing;
  return d * d;
}

void checkGeometry(const double spacing[3], double margin)
{
  if (!(margin >= 0.0) || !std::isfinite(margin))
  {
    throw std::invalid_argument("segcore: the margin must be a finite number >= 0");
  }
  for (int a = 0; a < 3; ++a)
  {
    if (!(spacing[a] > 0.0) || !std::isfinite(spacing[a]))
    {
      throw std::invalid_argument("segcore: spacing must be positive and finite");
    }
  }
}

/// What both ways share. `input` is the part of the padded box that can matter.
struct Margin
{
  const std::uint8_t* mask;
  Box padded;
  Box target;
  Box input;
  bool complement; ///< Object = voxels that are 0, and the result is inverted.
  double limit;
  Index reach[3]; ///< Largest useful offset per axis.
  std::vector<double> squares[3];
  std::uint8_t* out;

  const std::uint8_t* row(Index y, Index z) const
  {
    return this->mask + this->padded.offset(this->input.lo[0], y, z);
  }
};

/// A row of the ball: offset in y and z, and which half-length along x.
struct Span
{
  Index dy;
  Index dz;
  Index
    length; ///< Half-length in voxels, then its position in the sorted list of those that occur.
};

/// The rows of the ball, longest (nearest) first, and the half-lengths that occur, ascending.
void ballSpans(const Margin& m, std::vector<Span>& spans, std::vector<Index>& lengths)
{
  for (Index dz = 0; dz <= m.reach[2]; ++dz)
  {
    Index kx = m.reach[0];
    for (Index dy = 0; dy <= m.reach[1]; ++dy)
    {
      while (kx >= 0 &&
        !((m.squares[0][static_cast<std::size_t>(kx)] +
            m.squares[1][static_cast<std::size_t>(dy)]) +
            m.squares[2][static_cast<std::size_t>(dz)] <=
          m.limit))
      {
        --kx;
      }
      if (kx < 0)
      {
        break;
      }
      lengths.push_back(kx);
      for (Index sz = dz ? -1 : 1; sz <= 1; sz += 2)
      {
        for (Index sy = dy ? -1 : 1; sy <= 1; sy += 2)
        {
          spans.push_back({ sy * dy, sz * dz, kx });
        }
      }
    }
  }
  std::sort(lengths.begin(), lengths.end());
  lengths.erase(std::unique(lengths.begin(), lengths.end()), lengths.end());
  for (Span& span : spans)
  {
    span.length = std::lower_bound(lengths.begin(), lengths.end(), span.length) - lengths.begin();
  }
  std::stable_sort(spans.begin(), spans.end(),
    [](const Span& a, const Span& b)
    {
      return a.length != b.length
        ? a.length > b.length
        : std::abs(a.dy) + std::abs(a.dz) < std::abs(b.dy) + std::abs(b.dz);
    });
}

/// to = from | from shifted by `step` bits both ways, over rows of `words` words. Not in place.
void spread(const Word* from, Word* to, Index words, Index step)
{
  const Index skip = step >> 6;
  const Index up = step & 63;
  if (skip == 0)
  {
    // up > 0, because step > 0.
    for (Index w = 0; w < words; ++w)
    {
      const Word below = w > 0 ? from[w - 1] : 0;
      const Word above = w + 1 < words ? from[w + 1] : 0;
      to[w] =
        from[w] | (from[w] << up) | (below >> (64 - up)) | (from[w] >> up) | (above << (64 - up));
    }
    return;
  }
  const auto at = [from, words](Index w) { return w >= 0 && w < words ? from[w] : Word{ 0 }; };
  for (Index w = 0; w < words; ++w)
  {
    Word word = from[w] | (at(w - skip) << up) | (at(w + skip) >> up);
    if (up)
    {
      word |= (at(w - skip - 1) >> (64 - up)) | (at(w + skip + 1) << (64 - up));
    }
    to[w] = word;
  }
}

/// Widens runs by `by` voxels on both sides, with steps of at most r + 1 after a reach of r: then
/// every voxel is reached over voxels between it and its source, none of which lies beyond the end
/// of the row, where bits are lost. (Steps up to 2 r + 1 would leave no gap either, but go through
/// such voxels.)
void widen(const Word* from, Word* to, Word* scratch, Index words, Index by)
{
  if (by == 0)
  {
    std::copy(from, from + words, to);
    return;
  }
  Index steps = 0;
  for (Index r = 0; r < by; ++steps)
  {
    r += std::min(r + 1, by - r);
  }
  const Word* source = from;
  for (Index r = 0; r < by; --steps)
  {
    const Index step = std::min(r + 1, by - r);
    Word* result = steps % 2 == 1 ? to : scratch; // the last one ends in `to`
    spread(source, result, words, step);
    source = result;
    r += step;
  }
}

void byBitRows(const Margin& m, const std::vector<Span>& spans, const std::vector<Index>& lengths,
  const Progress& progress)
{
  const Index levels = static_cast<Index>(lengths.size());
  const Index width = m.input.dim(0);
  const Index words = wordCount(width);
  const Index rows = m.input.dim(1);
  const Index rowWords = levels * words;
  const Index batch = std::max<Index>(32, m.reach[2]);
  const Index depth = std::min(m.input.dim(2), batch + 2 * m.reach[2]);
  Buffer<Word> ring(depth * rows * rowWords);
  Buffer<std::uint8_t> used(depth * rows); // does the row have any object voxel?
  std::vector<std::vector<Index>> usedRows(
    static_cast<std::size_t>(depth));                                 // those rows, per slice
  Buffer<std::int32_t> lengthAt((m.reach[1] + 1) * (m.reach[2] + 1)); // of a row of the ball, or -1
  std::fill(lengthAt.begin(), lengthAt.end(), -1);
  for (const Span& span : spans)
  {
    lengthAt[std::abs(span.dz) * (m.reach[1] + 1) + std::abs(span.dy)] =
      static_cast<std::int32_t>(span.length);
  }
  const auto slot = [&](Index z) { return (z - m.input.lo[2]) % depth; };

  const Index shift = m.target.lo[0] - m.input.lo[0];
  const Index nx = m.target.dim(0);
  const Index ny = m.target.dim(1);
  std::vector<Word> full(static_cast<std::size_t>(words), 0); // the bits of the target
  for (Index w = 0; w < words; ++w)
  {
    const Index first = std::max<Index>(0, shift - 64 * w);
    const Index last = std::min<Index>(64, shift + nx - 64 * w);
    full[static_cast<std::size_t>(w)] = first < last ? lowBits(last) & ~lowBits(first) : 0;
  }

  const auto widenRows = [&](Index z0, Index begin, Index end)
  {
    std::vector<Word> scratch(static_cast<std::size_t>(2 * words));
    Word* bits = scratch.data();
    for (Index r = begin; r < end; ++r)
    {
      const Index z = z0 + r / rows;
      const Index y = m.input.lo[1] + r % rows;
      packBits(m.row(y, z), width, bits);
      if (m.complement)
      {
        for (Index w = 0; w < words; ++w)
        {
          bits[w] = ~bits[w] & lowBits(width - 64 * w);
        }
      }
      Word any = 0;
      for (Index w = 0; w < words; ++w)
      {
        any |= bits[w];
      }
      const Index place = slot(z) * rows + r % rows;
      used[place] = any != 0;
      if (!any)
      {
        continue; // its words are never read
      }
      Word* to = ring.data() + place * rowWords;
      for (Index l = 0; l < levels; ++l)
      {
        const Index before = l ? lengths[static_cast<std::size_t>(l) - 1] : 0;
        widen(l ? to + (l - 1) * words : bits, to + l * words, bits + words, words,
          lengths[static_cast<std::size_t>(l)] - before);
      }
    }
  };

  // Few input rows have an object voxel: look at those, not at all rows of the ball.
  const auto joinSparse = [&](Index z, Index y, Word* acc)
  {
    const Index z0 = std::max(m.input.lo[2], z - m.reach[2]);
    const Index z1 = std::min(m.input.hi[2], z + m.reach[2]);
    for (Index fromZ = z0; fromZ <= z1; ++fromZ)
    {
      const std::vector<Index>& list = usedRows[static_cast<std::size_t>(slot(fromZ))];
      const std::int32_t* lengthOf = lengthAt.data() + std::abs(fromZ - z) * (m.reach[1] + 1);
      for (auto r = std::lower_bound(list.begin(), list.end(), y - m.reach[1] - m.input.lo[1]);
        r != list.end() && *r + m.input.lo[1] <= y + m.reach[1]; ++r)
      {
        const std::int32_t length = lengthOf[std::abs(*r + m.input.lo[1] - y)];
        if (length >= 0)
        {
          const Word* source = ring.data() + (slot(fromZ) * rows + *r) * rowWords + length * words;
          for (Index w = 0; w < words; ++w)
          {
            acc[w] |= source[w];
          }
        }
      }
    }
  };

  const auto joinRows = [&](Index z0, bool sparse, Index begin, Index end)
  {
    constexpr std::size_t group = 24;
    const Word* sources[group];
    std::vector<Word> result(static_cast<std::size_t>(words));
    Word* acc = result.data();
    for (Index r = begin; r < end; ++r)
    {
      const Index z = z0 + r / ny;
      const Index y = m.target.lo[1] + r % ny;
      std::fill(acc, acc + words, Word{ 0 });
      bool done = sparse;
      if (sparse)
      {
        joinSparse(z, y, acc);
      }
      for (std::size_t s = 0; s < spans.size() && !done;)
      {
        std::size_t count = 0;
        for (; s < spans.size() && count < group; ++s)
        {
          const Index fromZ = z + spans[s].dz;
          const Index fromY = y + spans[s].dy;
          if (fromZ < m.input.lo[2] || fromZ > m.input.hi[2] || fromY < m.input.lo[1] ||
            fromY > m.input.hi[1])
          {
            continue;
          }
          const Index place = slot(fromZ) * rows + fromY - m.input.lo[1];
          sources[count] = ring.data() + place * rowWords + spans[s].length * words;
          count += used[place]; // an empty row is overwritten by the next
        }
        Index w = 0;
        for (; w + 4 <= words; w += 4)
        {
          Word a0 = acc[w];
          Word a1 = acc[w + 1];
          Word a2 = acc[w + 2];
          Word a3 = acc[w + 3];
          for (std::size_t c = 0; c < count; ++c)
          {
            const Word* source = sources[c] + w;
            a0 |= source[0];
            a1 |= source[1];
            a2 |= source[2];
            a3 |= source[3];
          }
          acc[w] = a0;
          acc[w + 1] = a1;
          acc[w + 2] = a2;
          acc[w + 3] = a3;
        }
        for (; w < words; ++w)
        {
          for (std::size_t c = 0; c < count; ++c)
          {
            acc[w] |= sources[c][w];
          }
        }
        Word missing = 0;
        for (w = 0; w < words; ++w)
        {
          missing |= full[static_cast<std::size_t>(w)] & ~acc[w];
        }
        done = missing == 0;
      }
      if (m.complement)
      {
        for (Index w = 0; w < words; ++w)
        {
          acc[w] = ~acc[w];
        }
      }
      unpackBits(acc, shift, nx, m.out + m.target.offset(m.target.lo[0], y, z));
    }
  };

  // The ring holds slices [z0 - reach, z1 + reach] while the targets z0..z1 are made.
  Index have = m.input.lo[2]; // first slice that is not in the ring yet
  progress.step(0.0);
  for (Index z0 = m.target.lo[2]; z0 <= m.target.hi[2]; z0 += batch)
  {
    const Index z1 = std::min(m.target.hi[2], z0 + batch - 1);
    const Index need = std::min(m.input.hi[2], z1 + m.reach[2]) + 1;
    const Index first = have;
    forRanges(
      (need - first) * rows, 64, [&](Index begin, Index end) { widenRows(first, begin, end); });
    for (Index z = first; z < need; ++z)
    {
      std::vector<Index>& list = usedRows[static_cast<std::size_t>(slot(z))];
      list.clear();
      for (Index r = 0; r < rows; ++r)
      {
        if (used[slot(z) * rows + r])
        {
          list.push_back(r);
        }
      }
    }
    have = need;
    Index filled = 0;
    for (const std::vector<Index>& list : usedRows)
    {
      filled += static_cast<Index>(list.size());
    }
    const bool sparse = filled * 4 < depth * rows;
    forRanges(
      (z1 - z0 + 1) * ny, 64, [&](Index begin, Index end) { joinRows(z0, sparse, begin, end); });
    progress.step(
      static_cast<double>(z1 - m.target.lo[2] + 1) / static_cast<double>(m.target.dim(2)));
  }
}

/// Squares of the distance to the nearest object voxel of the row, for the x of the target, or
/// infinity. Returns whether any is finite.
bool squaresAlongX(const Margin& m, const std::uint8_t* row, std::vector<Index>& steps, double* to)
{
  const Index width = m.input.dim(0);
  const Index shift = m.target.lo[0] - m.input.lo[0];
  const Index nx = m.target.dim(0);
  const Index none = m.reach[0] + 1;
  const double* squares = m.squares[0].data();
  Index distance = none;
  for (Index x = 0; x < shift + nx; ++x)
  {
    distance = (row[x] != 0) != m.complement ? 0 : std::min(none, distance + 1);
    steps[static_cast<std::size_t>(x)] = distance;
  }
  distance = none;
  bool any = false;
  for (Index x = width - 1; x >= shift; --x)
  {
    distance = (row[x] != 0) != m.complement ? 0 : std::min(none, distance + 1);
    if (x < shift + nx)
    {
      const Index k = std::min(distance, steps[static_cast<std::size_t>(x)]);
      any = any || k < none;
      to[x - shift] = squares[k]; // squares[none] is infinite
    }
  }
  return any;
}

template <class Reach>
void byAxes(const Margin& m, const Progress& progress)
{
  const Index nx = m.target.dim(0);
  const Index ny = m.target.dim(1);
  const Index rows = m.input.dim(1);
  const Index depth = m.input.dim(2);
  const Index plane = nx * ny;
  const double* squaresY = m.squares[1].data();
  const double* squaresZ = m.squares[2].data();
  const double scale = m.reach[2] > 0 ? 1.0 / std::sqrt(squaresZ[1]) : 0.0;
  // 1 + largest offset along z that still is within the margin, or 0 for none.
  Buffer<Reach> reach(depth * plane);

  const auto slices = [&](Index begin, Index end)
  {
    std::vector<double> along(static_cast<std::size_t>(rows * nx));
    std::vector<std::uint8_t> any(static_cast<std::size_t>(rows));
    std::vector<Index> steps(static_cast<std::size_t>(m.input.dim(0)));
    std::vector<double> best(static_cast<std::size_t>(nx));
    for (Index s = begin; s < end; ++s)
    {
      for (Index r = 0; r < rows; ++r)
      {
        any[static_cast<std::size_t>(r)] = squaresAlongX(
          m, m.row(m.input.lo[1] + r, m.input.lo[2] + s), steps, along.data() + r * nx);
      }
      for (Index y = 0; y < ny; ++y)
      {
        const Index centre = m.target.lo[1] - m.input.lo[1] + y;
        double* b = best.data();
        std::fill(b, b + nx, std::numeric_limits<double>::infinity());
        const auto take = [&](Index r, double add)
        {
          if (r < 0 || r >= rows || !any[static_cast<std::size_t>(r)])
          {
            return;
          }
          const double* a = along.data() + r * nx;
          for (Index x = 0; x < nx; ++x)
          {
            const double d = a[x] + add;
            b[x] = d < b[x] ? d : b[x];
          }
        };
        const Index last = std::min(m.reach[1], std::max(centre, rows - 1 - centre));
        for (Index k = 0; k <= last; ++k)
        {
          if (k % 4 == 1)
          {
            // No voxel can win any more once the offset alone is as far as the worst so far.
            double worst = 0.0;
            for (Index x = 0; x < nx; ++x)
            {
              worst = b[x] > worst ? b[x] : worst;
            }
            if (squaresY[k] >= worst)
            {
              break;
            }
          }
          take(centre + k, squaresY[k]);
          if (k > 0)
          {
            take(centre - k, squaresY[k]);
          }
        }
        Reach* to = reach.data() + s * plane + y * nx;
        for (Index x = 0; x < nx; ++x)
        {
          const double d = b[x];
          if (!(d <= m.limit))
          {
            to[x] = 0;
            continue;
          }
          // The root is a guess; the definition decides.
          const double guess = std::sqrt(m.limit - d) * scale;
          Index k =
            guess < static_cast<double>(m.reach[2]) ? static_cast<Index>(guess) : m.reach[2];
          while (k < m.reach[2] && d + squaresZ[k + 1] <= m.limit)
          {
            ++k;
          }
          while (k > 0 && !(d + squaresZ[k] <= m.limit))
          {
            --k;
          }
          to[x] = static_cast<Reach>(k + 1);
        }
      }
    }
  };
  forRanges(depth, 1, progress.part(0.0, 0.9), slices);

  // Sweeping along z, what is left of the longest reach so far; above 0 means inside.
  const Index first = m.target.lo[2] - m.input.lo[2];
  const Index last = m.target.hi[2] - m.input.lo[2];
  const auto sweep = [&](Index begin, Index end)
  {
    std::vector<Reach> left(static_cast<std::size_t>(nx));
    for (Index y = begin; y < end; ++y)
    {
      Reach* l = left.data();
      const auto move = [&](Index s)
      {
        const Reach* r = reach.data() + s * plane + y * nx;
        for (Index x = 0; x < nx; ++x)
        {
          const Reach down = static_cast<Reach>(l[x] - (l[x] > 0));
          l[x] = down > r[x] ? down : r[x];
        }
        return m.out + (s - first) * plane + y * nx;
      };
      std::fill(l, l + nx, Reach{ 0 });
      for (Index s = 0; s <= last; ++s)
      {
        std::uint8_t* out = move(s);
        if (s >= first)
        {
          for (Index x = 0; x < nx; ++x)
          {
            out[x] = static_cast<std::uint8_t>(l[x] > 0);
          }
        }
      }
      std::fill(l, l + nx, Reach{ 0 });
      for (Index s = depth - 1; s >= first; --s)
      {
        std::uint8_t* out = move(s);
        if (s <= last)
        {
          for (Index x = 0; x < nx; ++x)
          {
            out[x] = static_cast<std::uint8_t>(((out[x] != 0) | (l[x] > 0)) != m.complement);
          }
        }
      }
    }
  };
  forRanges(ny, 4, progress.part(0.9, 1.0), sweep);
}

void changeMask(const std::uint8_t* mask, const Box& padded, const Box& target,
  const double spacing[3], double margin, bool shrink, std::uint8_t* out, const Progress& progress,
  MarginMethod method)
{
  Margin m;
  marginHalo(spacing, margin, m.reach); // checks spacing and margin
  if (target.empty())
  {
    return;
  }
  if (!padded.contains(target))
  {
    throw std::invalid_argument("segcore: the padded box must contain the target");
  }
  m.mask = mask;
  m.padded = padded;
  m.target = target;
  m.input = target.grown(m.reach).clipped(padded);
  m.complement = shrink;
  m.limit = marginLimit(margin);
  m.out = out;
  for (int a = 0; a < 3; ++a)
  {
    m.reach[a] =
      std::min(m.reach[a], std::max(target.hi[a] - m.input.lo[a], m.input.hi[a] - target.lo[a]));
    m.squares[a].resize(static_cast<std::size_t>(m.reach[a] + 2));
    for (Index k = 0; k <= m.reach[a]; ++k)
    {
      m.squares[a][static_cast<std::size_t>(k)] = square(k, spacing[a]);
    }
    m.squares[a].back() = std::numeric_limits<double>::infinity();
  }

  // Bit rows cost about a word operation per row of the ball and 64 voxels, and some per row at
  // all; per axis costs about one operation per voxel of the column. The factors were measured.
  const double ballRows =
    3.2 * static_cast<double>(m.reach[1] + 1) * static_cast<double>(m.reach[2] + 1);
  const bool cheaper = ballRows / 20.0 < 20.0 + 2.0 * static_cast<double>(m.reach[1]);
  if (method != MarginMethod::PerAxis && (cheaper || method == MarginMethod::BitRows))
  {
    std::vector<Span> spans;
    std::vector<Index> lengths;
    ballSpans(m, spans, lengths);
    if (static_cast<Index>(lengths.size()) <= MaximumLengths || method == MarginMethod::BitRows)
    {
      byBitRows(m, spans, lengths, progress);
      return;
    }
  }
  if (m.reach[2] < 0xff)
  {
    byAxes<std::uint8_t>(m, progress);
  }
  else if (m.reach[2] < 0xffff)
  {
    byAxes<std::uint16_t>(m, progress);
  }
  else
  {
    byAxes<std::uint32_t>(m, progress);
  }
}

} // namespace

void marginHalo(const double spacing[3], double marginMillimetres, Index halo[3])
{
  checkGeometry(spacing, marginMillimetres);
  constexpr Index most = Index{ 1 } << 31;
  const double limit = marginLimit(marginMillimetres);
  for (int a = 0; a < 3; ++a)
  {
    const double guess = marginMillimetres / spacing[a];
    Index k = guess < static_cast<double>(most) ? static_cast<Index>(guess) : most;
    while (k < most && square(k + 1, spacing[a]) <= limit)
    {
      ++k;
    }
    while (k > 0 && !(square(k, spacing[a]) <= limit))
    {
      --k;
    }
    halo[a] = k;
  }
}

void growMask(const std::uint8_t* mask, const Box& padded, const Box& target,
  const double spacing[3], double marginMillimetres, std::uint8_t* out, const Progress& progress,
  MarginMethod method)
{
  changeMask(mask, padded, target, spacing, marginMillimetres, false, out, progress, method);
}

void shrinkMask(const std::uint8_t* mask, const Box& padded, const Box& target,
  const double spacing[3], double marginMillimetres, std::uint8_t* out, const Progress& progress,
  MarginMethod method)
{
  changeMask(mask, padded, target, spacing, marginMillimetres, true, out, progress, method);
}

} // namespace segcore
