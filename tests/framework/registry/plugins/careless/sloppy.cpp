#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include "framework/data/dataset.h"
#include "framework/registry/register.h"

// Breaks what a data set promises.
namespace vitrine {
namespace {

struct Options : DatasetOptions {
  std::string how = "sound";

  void visit(Fields& field) {
    DatasetOptions::visit(field);
    field("how", how, "what it breaks",
          one_of({"sound", "float", "size", "count", "columns", "label", "wide", "fingerprint",
                  "nothing", "throws", "read"}));
  }
};

// Where info tells of grey ones.
class Coloured : public ImageSource {
 public:
  explicit Coloured(int64_t count) : count_(count) {}
  int64_t size() const override { return count_; }
  Image read(int64_t) const override { return {28, 28, 3, std::vector<uint8_t>(28 * 28 * 3)}; }

 private:
  int64_t count_;
};

class Sloppy : public Dataset {
 public:
  Sloppy(const Options& options, const DataContext&) : how_(options.how) {}

  DatasetInfo info() const override {
    if (how_ == "throws") throw std::runtime_error("no list of files");
    return {1, 28, 28, class_column({"a", "b"}), 60, 20};
  }
  Split load_train() override { return made(how_ == "count" ? 50 : 60); }
  Split load_test() override { return made(20); }
  std::string fingerprint() override { return how_ == "fingerprint" ? "x" : std::string(64, 'a'); }

 private:
  Split made(int64_t count) const {
    Split out;
    out.images = at::full({count, 1, 28, how_ == "size" ? 14 : 28}, 3, at::kByte);
    if (how_ == "float") out.images = out.images.to(at::kFloat);
    Tensor labels = at::zeros({count}, at::kLong);
    if (how_ == "label") labels[3] = 2;
    if (how_ == "wide") labels = labels.unsqueeze(1);
    if (how_ != "columns") out.labels.push_back(labels);
    if (how_ == "nothing" || how_ == "read") out.images = Tensor();
    if (how_ == "read") out.source = std::make_shared<Coloured>(count);
    return out;
  }

  std::string how_;
};

VITRINE_REGISTER(Dataset, Sloppy, Options, "breaks its promises")

}  // namespace
}  // namespace vitrine
