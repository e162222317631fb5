// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

// Layout of the long rows of BitRows: [slice of the ring][length][guard, gap, row, gap, row, gap,
// ..., guard], the rows of a strip with at least as many zero bits before, between and after them
// as the ball reaches along x. So widening the long row loses no bit and reaches no other row. The
// guards are never written; they let a shift read beyond the ends.

#include "BallMask.h"

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

void checkGeometry(const double spacing[3], double size)
{
  if (!(size >= 0.0) || !std::isfinite(size))
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

/// What both ways share. `box` is the part of the input that can matter.
struct Work
{
  const BitBlock& in;
  BitBlock& out;
  Box box;
  bool complement; ///< Object = voxels that are 0, and the result is inverted.
  double limit;
  double step; ///< Along z, for a guess.
  double skin;
  Index reach[3]; ///< Largest useful offset per axis.
  std::vector<double> terms[3];

  const Box& target() const { return this->out.box; }

  /// The bits of a row of `box`, unused ones 0.
  void readRow(Index y, Index z, Word* to) const
  {
    const Index width = this->box.dim(0);
    copyBits(this->in.row(y, z), this->box.lo[0] - this->in.box.lo[0], width, to);
    if (this->complement)
    {
      invertBits(to, width);
    }
  }
};

/// A row of the ball: offset in y and z, and which half-length along x.
struct Span
{
  Index dy;
  Index dz;
  Index length; ///< Half-length in voxels, then its position in the list of those that occur.
};

/// The rows of the ball, and the half-lengths that occur, ascending.
void ballSpans(const Work& m, std::vector<Span>& spans, std::vector<Index>& lengths)
{
  for (Index dz = 0; dz <= m.reach[2]; ++dz)
  {
    Index kx = m.reach[0];
    for (Index dy = 0; dy <= m.reach[1]; ++dy)
    {
      while (kx >= 0 &&
        !((m.terms[0][static_cast<std::size_t>(kx)] + m.terms[1][static_cast<std::size_t>(dy)]) +
            m.terms[2][static_cast<std::size_t>(dz)] <=
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
  // Slice by slice, for those that are empty are skipped together.
  std::stable_sort(spans.begin(), spans.end(),
    [](const Span& a, const Span& b) { return a.dz != b.dz ? a.dz < b.dz : a.dy < b.dy; });
}

/// to = from | from shifted by `step` bits both ways, over a long row of `words` words with at
/// least step / 64 + 1 words of memory around it.
void spread(const Word* from, Word* to, Index words, Index step)
{
  const Index skip = step >> 6;
  const Index up = step & 63;
  if (up == 0)
  {
    for (Index w = 0; w < words; ++w)
    {
      to[w] = from[w] | from[w - skip] | from[w + skip];
    }
    return;
  }
  const Index down = 64 - up;
  const Word* below = from - skip;
  const Word* above = from + skip;
  for (Index w = 0; w < words; ++w)
  {
    to[w] = from[w] | (below[w] << up) | (below[w - 1] >> down) | (above[w] >> up) |
      (above[w + 1] << down);
  }
}

/// acc = union of the sources, `words` words of each.
void unite(const Word* const* sources, std::size_t count, Word* acc, Index words)
{
  constexpr Index step = 8;
  Index w = 0;
  for (; w + step <= words; w += step)
  {
    Word sum[step] = {};
    for (std::size_t c = 0; c < count; ++c)
    {
      const Word* source = sources[c] + w;
      for (Index i = 0; i < step; ++i)
      {
        sum[i] |= source[i];
      }
    }
    std::copy(sum, sum + step, acc + w);
  }
  for (; w < words; ++w)
  {
    Word sum = 0;
    for (std::size_t c = 0; c < count; ++c)
    {
      sum |= sources[c][w];
    }
    acc[w] = sum;
  }
}

class BitRows
{
public:
  BitRows(const Work& work, const std::vector<Span>& spans, const std::vector<Index>& lengths)
    : M(work)
    , Spans(spans)
    , Lengths(lengths)
    , Words(wordCount(work.box.dim(0) + work.reach[0]))
    , Gap(wordCount(work.reach[0]))
  {
  }

  void run(const Progress& progress) const
  {
    const Box& target = this->M.target();
    const Index ny = target.dim(1);
    // Strips of rows are independent, each runs through all slices; tall enough that the rows which
    // neighbouring strips widen twice do not matter. Cut along z too where there are too few.
    const Index strip = std::min(ny, std::max<Index>(32, 4 * this->M.reach[1]));
    const Index strips = (ny + strip - 1) / strip;
    const Index least = std::max<Index>(16, 8 * this->M.reach[2]);
    const Index wanted = progress.active() ? 16 : 2 * threadCount();
    const Index slabs =
      std::max<Index>(1, std::min((wanted + strips - 1) / strips, target.dim(2) / least));
    forRanges(strips * slabs, 1, progress,
      [&](Index begin, Index end)
      {
        for (Index task = begin; task < end; ++task)
        {
          Box part = target;
          part.lo[1] = target.lo[1] + (task % strips) * strip;
          part.hi[1] = std::min(target.hi[1], part.lo[1] + strip - 1);
          part.lo[2] = target.lo[2] + chunkBegin(target.dim(2), slabs, task / strips);
          part.hi[2] = target.lo[2] + chunkBegin(target.dim(2), slabs, task / strips + 1) - 1;
          this->makePart(part);
        }
      });
  }

private:
  /// What is known about a slice of a strip.
  enum Content : std::uint8_t
  {
    Empty,
    Mixed,
    Full
  };

  void makePart(const Box& part) const
  {
    const Work& m = this->M;
    const Index levels = static_cast<Index>(this->Lengths.size());
    const Index rows = part.dim(1) + 2 * m.reach[1];
    const Index words = this->Gap + rows * this->Words;
    const Index guard = m.reach[0] / 64 + 1;
    const Index level = words + 2 * guard;
    const Index z0 = std::max(m.box.lo[2], part.lo[2] - m.reach[2]);
    const Index z1 = std::min(m.box.hi[2], part.hi[2] + m.reach[2]);
    const Index depth = std::min(2 * m.reach[2], z1 - z0) + 1;
    std::vector<Word> ring(static_cast<std::size_t>(depth * levels * level), 0);
    std::vector<Word> scratch(static_cast<std::size_t>(2 * level), 0);
    std::vector<Content> content(static_cast<std::size_t>(depth), Empty);
    std::vector<Word> acc(static_cast<std::size_t>(part.dim(1) * this->Words));
    std::vector<const Word*> sources(this->Spans.size());
    const auto slot = [&](Index z) { return (z - z0) % depth; };

    Index have = z0; // first slice that is not in the ring yet
    for (Index z = part.lo[2]; z <= part.hi[2]; ++z)
    {
      for (; have <= std::min(z1, z + m.reach[2]); ++have)
      {
        Word* to = ring.data() + slot(have) * levels * level + guard;
        content[static_cast<std::size_t>(slot(have))] =
          this->readSlice(part, have, to, scratch.data() + guard, level);
      }
      // The ball holds its centre: what is full stays full.
      const bool full = content[static_cast<std::size_t>(slot(z))] == Full;
      std::size_t count = 0;
      for (std::size_t s = 0; s < this->Spans.size() && !full; ++s)
      {
        const Span& span = this->Spans[s];
        const Index from = z + span.dz;
        if (from < z0 || from > z1 || content[static_cast<std::size_t>(slot(from))] == Empty)
        {
          continue;
        }
        sources[count++] = ring.data() + (slot(from) * levels + span.length) * level + guard +
          this->Gap + (m.reach[1] + span.dy) * this->Words;
      }
      if (!full)
      {
        unite(sources.data(), count, acc.data(), static_cast<Index>(acc.size()));
      }
      this->writeSlice(part, z, full ? nullptr : acc.data());
    }
  }

  /// The slice widened by every length. `to` and `scratch` point behind a guard; levels and two
  /// scratch rows are `level` words apart.
  Content readSlice(const Box& part, Index z, Word* to, Word* scratch, Index level) const
  {
    const Work& m = this->M;
    const Index rows = part.dim(1) + 2 * m.reach[1];
    const Index words = this->Gap + rows * this->Words;
    const Index used = wordCount(m.box.dim(0));
    const Index last = m.box.dim(0) - 64 * (used - 1);
    Word* raw = scratch;
    Word* other = scratch + level;
    Word any = 0;
    Word all = ~Word{ 0 };
    std::fill(raw, raw + this->Gap, Word{ 0 });
    for (Index r = 0; r < rows; ++r)
    {
      Word* row = raw + this->Gap + r * this->Words;
      const Index y = part.lo[1] - m.reach[1] + r;
      if (y < m.box.lo[1] || y > m.box.hi[1])
      {
        std::fill(row, row + this->Words, Word{ 0 });
        continue;
      }
      m.readRow(y, z, row);
      for (Index w = 0; w < used; ++w)
      {
        any |= row[w];
        all &= row[w] | (w + 1 == used ? ~lowBits(last) : Word{ 0 });
      }
      std::fill(row + used, row + this->Words, Word{ 0 });
    }
    if (!any)
    {
      return Empty;
    }
    // Widened by steps of at most twice the reach so far and one, which leaves no gap.
    const Word* source = raw;
    Index reached = 0;
    for (std::size_t l = 0; l < this->Lengths.size(); ++l)
    {
      Word* result = to + static_cast<Index>(l) * level;
      while (this->Lengths[l] - reached > 2 * reached + 1)
      {
        Word* next = source == raw ? other : raw;
        // The raw bits are not needed once there is something wider.
        spread(source, next, words, 2 * reached + 1);
        source = next;
        reached += 2 * reached + 1;
      }
      if (this->Lengths[l] == reached)
      {
        std::copy(source, source + words, result);
      }
      else
      {
        spread(source, result, words, this->Lengths[l] - reached);
        reached = this->Lengths[l];
      }
      source = result;
    }
    return all == ~Word{ 0 } ? Full : Mixed;
  }

  /// Null means ones.
  void writeSlice(const Box& part, Index z, const Word* acc) const
  {
    const Work& m = this->M;
    const Index width = m.target().dim(0);
    const Index shift = m.target().lo[0] - m.box.lo[0];
    const Word flip = m.complement ? ~Word{ 0 } : 0;
    for (Index y = part.lo[1]; y <= part.hi[1]; ++y)
    {
      Word* to = m.out.row(y, z);
      if (acc)
      {
        copyBits(acc + (y - part.lo[1]) * this->Words, shift, width, to);
      }
      for (Index w = 0; w < m.out.words; ++w)
      {
        to[w] = ((acc ? to[w] : ~Word{ 0 }) ^ flip) & lowBits(width - 64 * w);
      }
    }
  }

  const Work& M;
  const std::vector<Span>& Spans;
  const std::vector<Index>& Lengths;
  Index Words; ///< per row of a long row, with the gap after it
  Index Gap;   ///< words before the first row
};

/// The terms of the offset to the nearest object voxel of the row, for the x of the target, or
/// infinity. Returns whether any is finite.
bool termsAlongX(const Work& m, const std::uint8_t* row, std::vector<Index>& steps, double* to)
{
  const Index width = m.box.dim(0);
  const Index shift = m.target().lo[0] - m.box.lo[0];
  const Index nx = m.target().dim(0);
  const Index none = m.reach[0] + 1;
  const double* terms = m.terms[0].data();
  Index distance = none;
  for (Index x = 0; x < shift + nx; ++x)
  {
    distance = row[x] ? 0 : std::min(none, distance + 1);
    steps[static_cast<std::size_t>(x)] = distance;
  }
  distance = none;
  bool any = false;
  for (Index x = width - 1; x >= shift; --x)
  {
    distance = row[x] ? 0 : std::min(none, distance + 1);
    if (x < shift + nx)
    {
      const Index k = std::min(distance, steps[static_cast<std::size_t>(x)]);
      any = any || k < none;
      to[x - shift] = terms[k]; // terms[none] is infinite
    }
  }
  return any;
}

template <class Reach>
void byAxes(const Work& m, const Progress& progress)
{
  const Index nx = m.target().dim(0);
  const Index ny = m.target().dim(1);
  const Index rows = m.box.dim(1);
  const Index depth = m.box.dim(2);
  const Index plane = nx * ny;
  const double* termsY = m.terms[1].data();
  const double* termsZ = m.terms[2].data();
  const double scale = 1.0 / m.step;
  // 1 + largest offset along z that still is within the margin, or 0 for none.
  Buffer<Reach> reach(depth * plane);

  const auto slices = [&](Index begin, Index end)
  {
    std::vector<double> along(static_cast<std::size_t>(rows * nx));
    std::vector<std::uint8_t> any(static_cast<std::size_t>(rows));
    std::vector<Word> bits(static_cast<std::size_t>(wordCount(m.box.dim(0))));
    std::vector<std::uint8_t> row(static_cast<std::size_t>(m.box.dim(0)));
    std::vector<Index> steps(static_cast<std::size_t>(m.box.dim(0)));
    std::vector<double> best(static_cast<std::size_t>(nx));
    for (Index s = begin; s < end; ++s)
    {
      for (Index r = 0; r < rows; ++r)
      {
        m.readRow(m.box.lo[1] + r, m.box.lo[2] + s, bits.data());
        unpackBits(bits.data(), 0, m.box.dim(0), row.data());
        any[static_cast<std::size_t>(r)] = termsAlongX(m, row.data(), steps, along.data() + r * nx);
      }
      for (Index y = 0; y < ny; ++y)
      {
        const Index centre = m.target().lo[1] - m.box.lo[1] + y;
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
            if (termsY[k] >= worst)
            {
              break;
            }
          }
          take(centre + k, termsY[k]);
          if (k > 0)
          {
            take(centre - k, termsY[k]);
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
          const double guess = std::sqrt(m.limit - d) * scale + m.skin;
          Index k =
            guess < static_cast<double>(m.reach[2]) ? static_cast<Index>(guess) : m.reach[2];
          while (k < m.reach[2] && d + termsZ[k + 1] <= m.limit)
          {
            ++k;
          }
          while (k > 0 && !(d + termsZ[k] <= m.limit))
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
  const Index first = m.target().lo[2] - m.box.lo[2];
  const Index last = m.target().hi[2] - m.box.lo[2];
  const Word flip = m.complement ? ~Word{ 0 } : 0;
  const auto sweep = [&](Index begin, Index end)
  {
    std::vector<Reach> left(static_cast<std::size_t>(nx));
    std::vector<Word> row(static_cast<std::size_t>(m.out.words));
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
      };
      const auto outRow = [&](Index s) { return m.out.row(m.target().lo[1] + y, m.box.lo[2] + s); };
      std::fill(l, l + nx, Reach{ 0 });
      for (Index s = 0; s <= last; ++s)
      {
        move(s);
        if (s >= first)
        {
          packWhere(nx, outRow(s), [l](Index x) { return l[x] > 0; });
        }
      }
      std::fill(l, l + nx, Reach{ 0 });
      for (Index s = depth - 1; s >= first; --s)
      {
        move(s);
        if (s <= last)
        {
          packWhere(nx, row.data(), [l](Index x) { return l[x] > 0; });
          Word* to = outRow(s);
          for (Index w = 0; w < m.out.words; ++w)
          {
            to[w] = ((to[w] | row[static_cast<std::size_t>(w)]) ^ flip) & lowBits(nx - 64 * w);
          }
        }
      }
    }
  };
  forRanges(ny, 4, progress.part(0.9, 1.0), sweep);
}

void changeBits(const BitBlock& in, const Ball& ball, bool shrink, BitBlock& out,
  const Progress& progress, MarginMethod method)
{
  if (out.box.empty())
  {
    return;
  }
  if (!in.box.contains(out.box))
  {
    throw std::invalid_argument("segcore: the padded box must contain the target");
  }
  Work m{ in, out, out.box.grown(ball.reach()).clipped(in.box), shrink, ball.limit(), ball.step(2),
    ball.skin(), {}, {} };
  for (int a = 0; a < 3; ++a)
  {
    m.reach[a] =
      std::min(ball.reach()[a], std::max(out.box.hi[a] - m.box.lo[a], m.box.hi[a] - out.box.lo[a]));
    m.terms[a].resize(static_cast<std::size_t>(m.reach[a] + 2));
    for (Index k = 0; k <= m.reach[a]; ++k)
    {
      m.terms[a][static_cast<std::size_t>(k)] = ball.term(a, k);
    }
    m.terms[a].back() = std::numeric_limits<double>::infinity();
  }

  // Bit rows cost a word operation per row of the ball and 64 voxels; per axis costs about one
  // operation per voxel of the column. The factors were measured.
  const double ballRows =
    3.2 * static_cast<double>(m.reach[1] + 1) * static_cast<double>(m.reach[2] + 1);
  const bool cheaper = ballRows / 60.0 < 20.0 + 2.0 * static_cast<double>(m.reach[1]);
  if (method != MarginMethod::PerAxis && (cheaper || method == MarginMethod::BitRows))
  {
    std::vector<Span> spans;
    std::vector<Index> lengths;
    ballSpans(m, spans, lengths);
    if (static_cast<Index>(lengths.size()) <= MaximumLengths || method == MarginMethod::BitRows)
    {
      BitRows(m, spans, lengths).run(progress);
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

void Ball::findReach()
{
  constexpr Index most = Index{ 1 } << 31;
  for (int a = 0; a < 3; ++a)
  {
    const double guess = std::sqrt(this->Limit) / this->Step[a] + this->Skin;
    Index k = guess < static_cast<double>(most) ? static_cast<Index>(guess) : most;
    while (k < most && this->term(a, k + 1) <= this->Limit)
    {
      ++k;
    }
    while (k > 0 && !(this->term(a, k) <= this->Limit))
    {
      --k;
    }
    this->Reach[a] = k;
  }
}

Ball marginBall(const double spacing[3], double millimetres)
{
  checkGeometry(spacing, millimetres);
  Ball ball;
  std::copy(spacing, spacing + 3, ball.Step);
  ball.Limit = millimetres * millimetres * (1.0 + 1e-12);
  ball.findReach();
  return ball;
}

Ball wallBall(const double spacing[3], double millimetres, bool open)
{
  checkGeometry(spacing, millimetres);
  Ball ball;
  std::copy(spacing, spacing + 3, ball.Step);
  ball.Skin = 0.5;
  ball.KeepsFaces = !open;
  // Above 0, so that two steps across faces are farther than one even if the distance is 0.
  constexpr double least = 1e-300;
  ball.Limit = std::max(least, millimetres * millimetres * (open ? 1.0 - 1e-12 : 1.0 + 1e-12));
  ball.findReach();
  return ball;
}

Ball kernelBall(const Index widths[3])
{
  Ball ball;
  for (int a = 0; a < 3; ++a)
  {
    if (widths[a] < 1 || widths[a] % 2 == 0)
    {
      throw std::invalid_argument("segcore::kernelBall: widths must be odd and positive");
    }
    ball.Step[a] = 2.0 / static_cast<double>(widths[a]);
  }
  ball.Limit = 1.0;
  ball.findReach();
  return ball;
}

void growBits(const BitBlock& in, const Ball& ball, BitBlock& out, const Progress& progress,
  MarginMethod method)
{
  changeBits(in, ball, false, out, progress, method);
}

void shrinkBits(const BitBlock& in, const Ball& ball, BitBlock& out, const Progress& progress,
  MarginMethod method)
{
  changeBits(in, ball, true, out, progress, method);
}

} // namespace segcore
