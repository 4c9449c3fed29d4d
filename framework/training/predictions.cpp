#include "framework/training/predictions.h"

#include <fmt/format.h>

#include "framework/error.h"
#include "framework/files/csv.h"

namespace vitrine {
namespace {

// A column for each name: "probability.cat".
void add_columns(std::string& line, const std::string& what,
                 const std::vector<std::string>& names) {
  for (const std::string& name : names) line += "," + csv_cell(what + "." + name);
}

void add_headings(std::string& line, const Task& task, const std::string& before, bool has_labels) {
  if (task.type == TaskType::kClassification) {
    if (has_labels) line += "," + csv_cell(before + "label");
    line += "," + csv_cell(before + "prediction");
    add_columns(line, before + "probability", task.names);
    return;
  }
  const bool has_values = task.type == TaskType::kRegression;
  if (has_values && task.outputs() == 1) {
    if (has_labels) line += "," + csv_cell(before + "value");
    line += "," + csv_cell(before + "prediction");
    return;
  }
  if (has_labels) add_columns(line, before + (has_values ? "value" : "label"), task.names);
  add_columns(line, before + "prediction", task.names);
  if (!has_values) add_columns(line, before + "probability", task.names);
}

void add_numbers(std::string& line, const float* numbers, int64_t count) {
  for (int64_t i = 0; i < count; ++i) fmt::format_to(std::back_inserter(line), ",{}", numbers[i]);
}

// Of one image. Each row of `outputs` and `targets` has as many numbers as the task has outputs.
class Row {
 public:
  Row(const Task& task, const TaskAnswers& answers)
      : task_(task),
        outputs_(answers.outputs.contiguous()),
        targets_(!answers.targets.defined() ? Tensor()
                 : task.type == TaskType::kClassification
                     ? answers.targets.contiguous()
                     : answers.targets.to(at::kFloat).contiguous()) {
    for (const std::string& name : task.names) cells_.push_back(csv_cell(name));
  }

  void add(std::string& line, int64_t image) const {
    const int64_t count = task_.outputs();
    const float* outputs = outputs_.const_data_ptr<float>() + image * count;
    if (task_.type == TaskType::kClassification) {
      if (targets_.defined()) {
        const int64_t right = targets_.const_data_ptr<int64_t>()[image];
        line += "," + (right < 0 ? "" : cells_.at(static_cast<size_t>(right)));
      }
      const int64_t best = std::max_element(outputs, outputs + count) - outputs;
      line += "," + cells_.at(static_cast<size_t>(best));
      return add_numbers(line, outputs, count);
    }
    if (targets_.defined())
      add_numbers(line, targets_.const_data_ptr<float>() + image * count, count);
    if (task_.type == TaskType::kMultiLabel) {
      for (int64_t i = 0; i < count; ++i) line += outputs[i] > 0.5F ? ",1" : ",0";
    }
    add_numbers(line, outputs, count);
  }

 private:
  const Task& task_;
  Tensor outputs_, targets_;
  std::vector<std::string> cells_;
};

}  // namespace

Predictions::Predictions(const Place& file, std::vector<Task> tasks, const Batches& images,
                         bool has_labels)
    : tasks_(std::move(tasks)), images_(images), has_labels_(has_labels), file_(file) {
  if (tasks_.empty())
    throw Error(ExitCode::kUsage, "--predictions: there are none: the model predicts nothing");
  std::string line = "image";
  for (const Task& task : tasks_)
    add_headings(line, task, tasks_.size() == 1 ? "" : task.name + ".", has_labels_);
  file_.write(line + "\n");
}

void Predictions::add(int64_t first, const std::vector<TaskAnswers>& answers) {
  std::vector<Row> rows;
  for (size_t i = 0; i < tasks_.size(); ++i) rows.emplace_back(tasks_[i], answers.at(i));
  const int64_t images = answers[0].outputs.size(0);
  std::string lines;
  for (int64_t i = 0; i < images; ++i) {
    const std::string path = images_.path_of(first + i);
    lines += path.empty() ? std::to_string(first + i) : csv_cell(path);
    for (const Row& row : rows) row.add(lines, i);
    lines += "\n";
  }
  file_.write(lines);
  count_ += images;
}

void Predictions::commit() {
  if (count_ != images_.size()) {
    throw Error(ExitCode::kUsage,
                fmt::format("--predictions: the experiment tells the answers to {} of {} images",
                            count_, images_.size()));
  }
  file_.commit();
}

}  // namespace vitrine
