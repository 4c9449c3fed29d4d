#pragma once

#include <string>
#include <vector>

#include "framework/comparing/watched_runs.h"

// What `runner watch` shows of runs.
namespace vitrine {

// Values as a curve of at most `width` letters, from the smallest to the largest; of several in one
// place the mean.
std::string sparkline(const std::vector<double>& values, size_t width);

// "12 min 5 s" of seconds; "-" of what is not known.
std::string time_left_text(double seconds);

// Gives a cell of the column of states its colour.
using Painter = std::string (*)(const std::string& cell, const std::string& status);

// Lines of at most `width` letters, `height` of them at most: how the runs stand, a heading, and a
// line a run. Columns go where room is short, names are shortened in their midst. What does not fit
// is counted.
std::vector<std::string> watch_table(const std::vector<const WatchedRow*>& rows, size_t width,
                                     size_t height, Painter paint);

// "runs/a: running, epoch 2/5, loss 0.7235, validation/accuracy 77.80 %, 22,991 images/s, 12 s
// left": what a log is told of a run as an epoch or the run ends.
std::string watch_line(const WatchedRow& row);

}  // namespace vitrine
