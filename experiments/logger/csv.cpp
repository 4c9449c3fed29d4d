#include "framework/files/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "framework/config/scalar.h"
#include "framework/files/file.h"
#include "framework/registry/register.h"
#include "framework/training/callback.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

std::string cell(const Json& value) {
  return value.is_number_float() ? number_text(value.get<double>()) : value.dump();
}

// A table of rows of one kind, a column each value. The first two are epoch and step.
class Table {
 public:
  explicit Table(const Place& place) : file_(place) {}

  // Drops what is behind the last line of which `keeps` is true of epoch and step.
  void cut(const std::function<bool(int64_t epoch, int64_t step)>& keeps) {
    const std::string text = read_file(file_.place(), file_.size());
    size_t kept = std::min(text.find('\n'), text.size() - 1) + 1;  // the heading
    if (text.find('\n') == text.npos) kept = 0;
    for (size_t end = text.find('\n', kept); end != text.npos; end = text.find('\n', kept)) {
      int64_t epoch = 0, step = 0;
      if (std::sscanf(text.c_str() + kept, "%ld,%ld", &epoch, &step) != 2 || !keeps(epoch, step))
        break;
      kept = end + 1;
    }
    file_.truncate(kept);
  }

  void append(const Json& row) {
    std::string heading, line;
    for (const auto& [name, value] : row.items()) {
      if (name == "kind") continue;
      heading += (heading.empty() ? "" : ",") + csv_cell(name);
      line += (line.empty() ? "" : ",") + cell(value);
    }
    if (file_.size() == 0) file_.append(heading + "\n");
    file_.append(line + "\n");
  }

 private:
  AppendFile file_;
};

// Writes the rows of metrics.jsonl as tables into the run's folder csv.
class Csv : public Logger {
 public:
  Csv(const NoOptions&, const CallbackContext&) {}

  void started(const RunView& run) override { open(run); }
  void resumed(const RunView& run) override {
    open(run);
    steps_->cut([&](int64_t, int64_t step) { return step <= run.row_step; });
    epochs_->cut([&](int64_t epoch, int64_t) { return epoch <= run.epoch; });
  }
  void row(const RunView& run) override {
    (run.values.at("kind") == "epoch" ? epochs_ : steps_)->append(run.values);
  }

 private:
  void open(const RunView& run) {
    const Folder folder = Folder::make(run.folder / "csv");
    steps_.emplace(folder / "steps.csv");
    epochs_.emplace(folder / "epochs.csv");
  }

  std::optional<Table> steps_, epochs_;
};

VITRINE_REGISTER(Logger, Csv, NoOptions, "tables of steps and epochs in csv/")

}  // namespace
}  // namespace vitrine
