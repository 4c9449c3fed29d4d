#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include "framework/data/dataset.h"
#include "framework/registry/register.h"

// Other images each time, under one fingerprint; or a crash.
namespace vitrine {
namespace {

struct Options : DatasetOptions {
  bool crashes = false, same = false;
  int64_t shade = 0;

  void visit(Fields& field) {
    DatasetOptions::visit(field);
    field("crashes", crashes, "whether it reads what is not there");
    field("same", same, "whether it is the same each time");
    field("shade", shade, "of its images then", between(0, 255));
  }
};

class Fresh : public Dataset {
 public:
  Fresh(const Options& options, const DataContext&) : options_(options) {}

  DatasetInfo info() const override { return {1, 8, 8, class_column({"a", "b"}), 60, 20}; }
  Split load_train() override { return made(60); }
  Split load_test() override { return made(20); }
  std::string fingerprint() override { return std::string(64, 'a'); }

 private:
  Split made(int64_t count) const {
    static int64_t calls = 0;
    if (options_.crashes) *static_cast<volatile int*>(nullptr) = 1;
    Split out;
    out.images = at::full({count, 1, 8, 8}, options_.same ? options_.shade : ++calls, at::kByte);
    out.labels = {at::zeros({count}, at::kLong)};
    return out;
  }

  Options options_;
};

VITRINE_REGISTER(Dataset, Fresh, Options, "never the same")

}  // namespace
}  // namespace vitrine
