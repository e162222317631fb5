// SPDX-FileCopyrightText: Copyright (c) the SegmentationCore developers
// SPDX-License-Identifier: BSD-3-Clause

/// @file
/// Progress and cancelling of kernels.
///
/// Rule for all kernels: long ones take a `const Progress&` as last argument (default: none) and
/// call step() between batches, on the calling thread only, so neither function needs to be thread
/// safe. When `cancelled` returns true the kernel throws segcore::Cancelled. Its output is then
/// unspecified (partly written), its input untouched, its scratch memory freed.

#ifndef segcoreProgress_h
#define segcoreProgress_h

#include <functional>
#include <stdexcept>

namespace segcore
{

/// Thrown by a kernel, on the calling thread, after Progress::cancelled returned true.
class Cancelled : public std::runtime_error
{
public:
  Cancelled() : std::runtime_error("cancelled") {}
};

struct Progress
{
  /// Receives the fraction done, 0 to 1, never falling within one call of a kernel. May be empty.
  std::function<void(double)> report;
  /// Asked between batches whether to stop. May be empty.
  std::function<bool()> cancelled;

  /// False if nobody listens; kernels then need not split their work into batches.
  bool active() const
  {
    return static_cast<bool>(this->report) || static_cast<bool>(this->cancelled);
  }

  /// Reports, then throws Cancelled if the caller wants to stop.
  void step(double fraction) const
  {
    if (this->report)
    {
      this->report(fraction);
    }
    if (this->cancelled && this->cancelled())
    {
      throw Cancelled();
    }
  }

  /// The part [from, to] of this progress, to be handed to a sub-step. Refers to *this.
  Progress part(double from, double to) const
  {
    Progress sub;
    if (this->report)
    {
      sub.report = [this, from, to](double f) { this->report(from + (to - from) * f); };
    }
    sub.cancelled = this->cancelled;
    return sub;
  }
};

} // namespace segcore

#endif
