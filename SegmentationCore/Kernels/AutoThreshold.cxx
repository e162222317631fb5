// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

#include "AutoThreshold.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

namespace segcore
{
namespace
{
constexpr int None = -1;

/// Counts as numbers, and what all methods need of them.
struct Counts
{
  Counts(const HistogramBins& histogramBins, const std::int64_t* counts)
    : bins(histogramBins), at(static_cast<std::size_t>(histogramBins.count))
  {
    for (int b = 0; b < this->size(); ++b)
    {
      // Double: moments of integers would overflow.
      (*this)[b] = static_cast<double>(counts[b]);
      this->total += (*this)[b];
      if (counts[b] > 0)
      {
        this->first = this->first == None ? b : this->first;
        this->last = b;
      }
    }
  }

  int size() const { return this->bins.count; }
  double& operator[](int bin) { return this->at[static_cast<std::size_t>(bin)]; }
  double operator[](int bin) const { return this->at[static_cast<std::size_t>(bin)]; }
  double share(int bin) const { return (*this)[bin] / this->total; }

  /// Sums of value(bin) up to each bin.
  template <class Value>
  std::vector<double> sums(const Value& value) const
  {
    std::vector<double> result(this->at.size());
    double sum = 0.0;
    for (int b = 0; b < this->size(); ++b)
    {
      sum += value(b);
      result[static_cast<std::size_t>(b)] = sum;
    }
    return result;
  }

  const HistogramBins& bins;
  std::vector<double> at;
  double total = 0.0;
  int first = None; ///< With counts.
  int last = None;
};

/// The first bin at which value(bin) is largest, of those for which it is a number.
template <class Value>
int best(int first, int last, const Value& value)
{
  int found = None;
  double most = 0.0;
  for (int b = first; b <= last; ++b)
  {
    const double now = value(b);
    if (!std::isnan(now) && (found == None || now > most))
    {
      most = now;
      found = b;
    }
  }
  return found;
}

constexpr double Epsilon = std::numeric_limits<double>::epsilon();

int huang(const Counts& h)
{
  const auto weights = h.sums([&](int b) { return h[b]; });
  const auto moments = h.sums([&](int b) { return h[b] * b; });
  // The entropy of a membership, by the distance to the class mean in bins.
  const double widest = h.last - h.first;
  std::vector<double> fuzziness(static_cast<std::size_t>(h.last - h.first + 1), 0.0);
  for (std::size_t d = 1; d < fuzziness.size(); ++d)
  {
    const double member = 1.0 / (1.0 + static_cast<double>(d) / widest);
    fuzziness[d] = -member * std::log(member) - (1.0 - member) * std::log(1.0 - member);
  }
  const auto cost = [&](int first, int last, double mean)
  {
    const int middle = static_cast<int>(std::floor(mean + 0.5));
    double sum = 0.0;
    for (int b = first; b <= last; ++b)
    {
      sum += fuzziness[static_cast<std::size_t>(std::abs(b - middle))] * h[b];
    }
    return sum;
  };
  const auto end = static_cast<std::size_t>(h.last);
  return best(h.first, h.last - 1,
    [&](int t)
    {
      const auto i = static_cast<std::size_t>(t);
      return -cost(h.first, t, moments[i] / weights[i]) -
        cost(t + 1, h.last, (moments[end] - moments[i]) / (weights[end] - weights[i]));
    });
}

int intermodes(const Counts& h)
{
  constexpr int most = 10000;
  std::vector<double> now = h.at;
  std::vector<double> next(now.size());
  const std::size_t n = now.size();
  for (int turn = 0; turn < most; ++turn)
  {
    int peaks = 0;
    int sum = 0;
    for (std::size_t b = 1; b + 1 < n; ++b)
    {
      if (now[b - 1] < now[b] && now[b + 1] < now[b])
      {
        ++peaks;
        sum += static_cast<int>(b);
      }
    }
    if (peaks == 2)
    {
      return sum / 2;
    }
    for (std::size_t b = 0; b < n; ++b)
    {
      next[b] = ((b > 0 ? now[b - 1] : 0.0) + now[b] + (b + 1 < n ? now[b + 1] : 0.0)) / 3.0;
    }
    std::swap(now, next);
  }
  return None;
}

int isoData(const Counts& h)
{
  const auto weights = h.sums([&](int b) { return h[b]; });
  const auto moments = h.sums([&](int b) { return h[b] * b; });
  const auto isDone = [&](int t)
  {
    const auto i = static_cast<std::size_t>(t);
    const double lower = moments[i] / weights[i];
    const double upper = (moments.back() - moments[i]) / (weights.back() - weights[i]);
    return t >= 0.5 * (lower + upper);
  };
  // A few voxels beyond a gap do not make a class if another threshold is among the values.
  for (const bool inGaps : { false, true })
  {
    for (int t = h.first; t < h.last; ++t)
    {
      if ((inGaps || h[t] > 0.0) && isDone(t))
      {
        return t;
      }
    }
  }
  return None;
}

int binOf(const Counts& h, double value)
{
  return std::isfinite(value) ? h.bins.bin(value) : None;
}

int kittlerIllingworth(const Counts& h)
{
  const auto value = [&](int b) { return h.bins.centre(b); };
  const auto weights = h.sums([&](int b) { return h[b]; });
  const auto moments = h.sums([&](int b) { return h[b] * value(b); });
  const auto squares = h.sums([&](int b) { return h[b] * value(b) * value(b); });
  int t = binOf(h, moments.back() / weights.back());
  // Each turn moves to where the two Gaussians of the last one are equally likely.
  for (int turn = 0, last = None; turn < 10000 && t != last; ++turn)
  {
    const auto i = static_cast<std::size_t>(t);
    const double below = weights[i];
    const double above = weights.back() - below;
    if (!(below > 0.0) || !(above > 0.0))
    {
      return t;
    }
    const double mu = moments[i] / below;
    const double nu = (moments.back() - moments[i]) / above;
    const double p = below / weights.back();
    const double q = 1.0 - p;
    const double sigma2 = squares[i] / below - mu * mu;
    const double tau2 = (squares.back() - squares[i]) / above - nu * nu;
    if (!(sigma2 > 0.0) || !(tau2 > 0.0))
    {
      return None;
    }
    const double w0 = 1.0 / sigma2 - 1.0 / tau2;
    const double w1 = mu / sigma2 - nu / tau2;
    const double w2 =
      mu * mu / sigma2 - nu * nu / tau2 + std::log10(sigma2 * q * q / (tau2 * p * p));
    const double root = w1 * w1 - w0 * w2;
    if (root < 0.0)
    {
      return t; // they never are
    }
    const int next = binOf(h, std::abs(w0) < Epsilon ? w2 / w1 / 2.0 : (w1 + std::sqrt(root)) / w0);
    last = t;
    t = next == None ? t : next;
  }
  return t;
}

int li(const Counts& h)
{
  const double shift = std::min(0.0, h.bins.min);
  const auto value = [&](int b) { return h.bins.centre(b) - shift; };
  const auto weights = h.sums([&](int b) { return h[b]; });
  const auto moments = h.sums([&](int b) { return h[b] * value(b); });
  int t = binOf(h, moments.back() / weights.back() + shift);
  for (int turn = 0; turn < 10000; ++turn)
  {
    const auto i = static_cast<std::size_t>(t);
    const double below = weights[i];
    const double above = weights.back() - below;
    if (!(below > 0.0) || !(above > 0.0))
    {
      break;
    }
    const double lower = moments[i] / below;
    const double upper = (moments.back() - moments[i]) / above;
    const int next = binOf(h, (upper - lower) / (std::log(upper) - std::log(lower)) + shift);
    if (next == None || next == t)
    {
      break;
    }
    t = next;
  }
  return t;
}

/// Both classes' entropy of an order: 1 is Shannon's.
int largestEntropy(const Counts& h, double order)
{
  const auto weights = h.sums([&](int b) { return h[b]; });
  const auto powers = h.sums(
    [&](int b)
    {
      const double p = h.share(b);
      return p <= 0.0 ? 0.0 : order == 1.0 ? -p * std::log(p) : std::pow(p, order);
    });
  return best(h.first, h.last - 1,
    [&](int t)
    {
      const auto i = static_cast<std::size_t>(t);
      // Of counts, which are exact: a rest of rounding must not pass for a class.
      const double p = weights[i] / h.total;
      const double q = (h.total - weights[i]) / h.total;
      const double a = powers[i];
      const double b = powers.back() - a;
      // Of shares within the class: p_i / p.
      return order == 1.0
        ? (a / p + std::log(p)) + (b / q + std::log(q))
        : (std::log(a / std::pow(p, order)) + std::log(b / std::pow(q, order))) / (1.0 - order);
    });
}

int moments(const Counts& h)
{
  double m[4] = { 1.0, 0.0, 0.0, 0.0 };
  for (int b = 0; b < h.size(); ++b)
  {
    const double x = b;
    m[1] += h.share(b) * x;
    m[2] += h.share(b) * x * x;
    m[3] += h.share(b) * x * x * x;
  }
  // Two values z0 < z1 with shares p0 and 1 - p0 that have these moments: roots of z^2 + c1 z + c0.
  const double determinant = m[2] - m[1] * m[1];
  const double c0 = (m[1] * m[3] - m[2] * m[2]) / determinant;
  const double c1 = (m[1] * m[2] - m[3]) / determinant;
  const double root = std::sqrt(c1 * c1 - 4.0 * c0);
  const double z0 = 0.5 * (-c1 - root);
  const double z1 = 0.5 * (-c1 + root);
  const double p0 = (z1 - m[1]) / (z1 - z0);
  double sum = 0.0;
  for (int b = 0; b < h.size(); ++b)
  {
    sum += h.share(b);
    // With two values the shares are equal; rounding must not put all voxels below.
    if (sum > p0 * (1.0 - 1e-12))
    {
      return b;
    }
  }
  return None;
}

int otsu(const Counts& h)
{
  double moment = 0.0;
  for (int b = 0; b < h.size(); ++b)
  {
    moment += h[b] * b;
  }
  int found = None;
  double most = 0.0;
  double lowerCount = 0.0;
  double lowerMoment = 0.0;
  for (int b = 0; b + 1 < h.size(); ++b)
  {
    lowerCount += h[b];
    lowerMoment += h[b] * b;
    const double upperCount = h.total - lowerCount;
    if (!(lowerCount > 0.0) || !(upperCount > 0.0))
    {
      continue;
    }
    const double apart = (moment - lowerMoment) / upperCount - lowerMoment / lowerCount;
    const double between = lowerCount * upperCount * apart * apart;
    // The slack keeps mathematically equal maxima, which rounding may order either way, with the
    // first.
    if (between > most * (1.0 + 1e-12))
    {
      most = between;
      found = b;
    }
  }
  return found;
}

int renyiEntropy(const Counts& h)
{
  int t[3] = { largestEntropy(h, 0.5), largestEntropy(h, 1.0), largestEntropy(h, 2.0) };
  std::sort(t, t + 3);
  if (t[0] == None)
  {
    return None;
  }
  // Thresholds that agree with their neighbour count more.
  const bool low = t[1] - t[0] <= 5;
  const bool high = t[2] - t[1] <= 5;
  const double weights[4][3] = { { 1, 2, 1 }, { 0, 1, 3 }, { 3, 1, 0 }, { 1, 2, 1 } };
  const double* w = weights[low ? (high ? 0 : 1) : (high ? 2 : 3)];
  const auto shares = h.sums([&](int b) { return h.share(b); });
  const double first = shares[static_cast<std::size_t>(t[0])];
  const double last = shares[static_cast<std::size_t>(t[2])];
  const double between = last - first;
  return static_cast<int>(t[0] * (first + 0.25 * between * w[0]) + t[1] * 0.25 * between * w[1] +
    t[2] * (1.0 - last + 0.25 * between * w[2]));
}

int shanbhag(const Counts& h)
{
  const auto weights = h.sums([&](int b) { return h[b]; });
  const auto below = [&](int b) { return weights[static_cast<std::size_t>(b)] / h.total; };
  return best(h.first, h.last - 1,
    [&](int t)
    {
      const double p = below(t);
      const double q = (h.total - weights[static_cast<std::size_t>(t)]) / h.total;
      double lower = 0.0;
      for (int b = h.first + 1; b <= t; ++b)
      {
        lower -= h.share(b) * std::log(1.0 - 0.5 / p * below(b - 1));
      }
      double upper = 0.0;
      for (int b = t + 1; b <= h.last; ++b)
      {
        upper -= h.share(b) * std::log(1.0 - 0.5 / q * (1.0 - below(b)));
      }
      return -std::abs(lower * 0.5 / p - upper * 0.5 / q);
    });
}

int triangle(const Counts& h)
{
  const int peak = static_cast<int>(std::max_element(h.at.begin(), h.at.end()) - h.at.begin());
  const auto shares = h.sums([&](int b) { return h.share(b); });
  const auto quantile = [&](double share)
  {
    return static_cast<int>(std::lower_bound(shares.begin(), shares.end(), share) - shares.begin());
  };
  const int low = quantile(0.01);
  const int high = quantile(0.99);
  // Towards the longer side.
  const bool left = std::abs(peak - low) > std::abs(peak - high);
  const int end = left ? low : high;
  const int found = best(std::min(end, peak), std::max(end, peak) - 1, [&](int b)
    { return h[peak] * static_cast<double>(std::abs(b - end)) / std::abs(peak - end) - h[b]; });
  return std::min((found == None ? peak : found) + 1, h.size() - 1);
}

int yen(const Counts& h)
{
  const auto shares = h.sums([&](int b) { return h.share(b); });
  const auto squares = h.sums([&](int b) { return h.share(b) * h.share(b); });
  return best(h.first, h.last - 1,
    [&](int t)
    {
      const auto i = static_cast<std::size_t>(t);
      const double both = squares[i] * (squares.back() - squares[i]);
      const double product = shares[i] * (1.0 - shares[i]);
      return -(both > 0.0 ? std::log(both) : 0.0) + 2.0 * (product > 0.0 ? std::log(product) : 0.0);
    });
}
}

//------------------------------------------------------------------------------------------------
AutoThreshold autoThreshold(
  ThresholdMethod method, const HistogramBins& bins, const std::int64_t* counts)
{
  if (bins.count < 1 || !counts)
  {
    throw std::invalid_argument("a threshold needs a histogram with at least one bin");
  }
  AutoThreshold result;
  result.threshold = bins.min;
  const Counts h(bins, counts);
  if (h.first == h.last)
  {
    return result;
  }
  int found = None;
  switch (method)
  {
    case ThresholdMethod::Huang:
      found = huang(h);
      break;
    case ThresholdMethod::Intermodes:
      found = intermodes(h);
      break;
    case ThresholdMethod::IsoData:
      found = isoData(h);
      break;
    case ThresholdMethod::KittlerIllingworth:
      found = kittlerIllingworth(h);
      break;
    case ThresholdMethod::Li:
      found = li(h);
      break;
    case ThresholdMethod::MaximumEntropy:
      found = largestEntropy(h, 1.0);
      break;
    case ThresholdMethod::Moments:
      found = moments(h);
      break;
    case ThresholdMethod::Otsu:
      found = otsu(h);
      break;
    case ThresholdMethod::RenyiEntropy:
      found = renyiEntropy(h);
      break;
    case ThresholdMethod::Shanbhag:
      found = shanbhag(h);
      break;
    case ThresholdMethod::Triangle:
      found = triangle(h);
      break;
    case ThresholdMethod::Yen:
      found = yen(h);
      break;
  }
  if (found != None)
  {
    result.valid = true;
    result.bin = found;
    result.threshold = method == ThresholdMethod::Otsu ? bins.edge(found + 1) : bins.centre(found);
  }
  return result;
}

} // namespace segcore
