#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/cli/passed_over.h"
#include "framework/cli/pictures.h"
#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/drawing/heading.h"
#include "framework/reports/curves.h"

namespace vitrine {

namespace {

namespace fs = std::filesystem;

struct CurvesOptions {
  std::vector<std::string> places;
  std::string file, band;
  int64_t width = 0;
  CurveOptions curves;
};

const std::map<std::string, Band> kBands = {
    {"none", Band::kNone}, {"std", Band::kStd}, {"ci", Band::kCi}};

fs::path file_of(const CurvesOptions& options, const std::string& metric) {
  if (!options.file.empty()) return options.file;
  if (options.places.size() > 1)
    throw Error(ExitCode::kUsage,
                "of several places it cannot be told where the picture belongs: give -o FILE");
  std::string name = "curves-" + metric + ".png";
  std::replace(name.begin(), name.end(), '/', '-');
  return fs::path(options.places[0]) / "plots" / name;
}

void warn(const std::vector<std::string>& left_out) {
  constexpr size_t kMost = 5;
  for (size_t i = 0; i < std::min(left_out.size(), kMost); ++i)
    print_warning("left out: " + left_out[i]);
  if (left_out.size() > kMost)
    print_warning(fmt::format("{} more are left out", left_out.size() - kMost));
}

// "run runs/a", "12 runs in runs/a, runs/b"
std::string subject_of(const Curves& curves, const std::vector<std::string>& places) {
  size_t count = 0;
  for (const CurveGroup& group : curves.groups) count += group.runs.size();
  const std::string where = fmt::format("{}", fmt::join(places, ", "));
  return count == 1 ? "run " + curves.groups[0].runs[0].run->path.string()
                    : fmt::format("{} runs in {}", count, where);
}

std::string encoded(const Curves& curves, const CurvesOptions& options, const std::string& format) {
  if (format == ".csv") return to_csv(curves);
  // More lines than can be told apart are no picture, but numbers all the same.
  Picture picture;
  if (format == ".json") {
    picture.title = title_of(curves);
    picture.numbers = [&] { return to_numbers(curves); };
  } else {
    picture = draw(curves);
  }
  picture.subject = subject_of(curves, options.places);
  if (options.width > 0)
    picture.resolution = static_cast<double>(options.width) / with_words(picture).width;
  return encode_picture(picture, format);
}

ExitCode plot_curves(CurvesOptions options) {
  PassedOver passed_over;
  const std::vector<RunRecord>& runs = kept_runs(options.places, passed_over);
  if (!options.band.empty()) options.curves.band = kBands.at(options.band);
  const Curves curves = read_curves(runs, options.curves);
  const fs::path file = file_of(options, curves.options.metric);
  const std::string format = picture_format(file, {".png", ".svg", ".json", ".csv"});
  if (options.width > 0 && format != ".png")
    throw Error(ExitCode::kUsage, "--width has no effect: only a .png has pixels");
  warn(curves.left_out);
  write_plot(file, encoded(curves, options, format));
  print("wrote " + escape(file.string()));
  return tell_passed_over(passed_over);
}

}  // namespace

Action plot_curves_verb(CLI::App& app) {
  auto options = std::make_shared<CurvesOptions>();
  app.add_option("RUN", options->places, "runs, or folders with runs")
      ->transform(path_option())
      ->required();
  app.add_option(
      "--metric", options->curves.metric,
      "one of metrics.json's history; default what the runs are judged by, of validation");
  app.add_option("--x", options->curves.x, "epoch, step or seconds")
      ->check(CLI::IsMember({"epoch", "step", "seconds"}))
      ->capture_default_str();
  app.add_option("--band", options->band,
                 "around the mean of runs that differ in seed alone: std (default), ci (95 % "
                 "interval of the mean), or none (each run for itself)")
      ->check(CLI::IsMember({"std", "ci", "none"}));
  app.add_option("--width", options->width, "pixels of a PNG; all in it grows alike")
      ->transform(at_least_one());
  app.add_option("-o,--output", options->file,
                 "file to write, by its end: .png, .svg, or .json or .csv for the numbers; default "
                 "RUN/plots/curves-METRIC.png")
      ->transform(path_option());
  return [options] { return plot_curves(*options); };
}

}  // namespace vitrine
