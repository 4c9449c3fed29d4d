#include "datasets/cifar.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

KnownSet cifar10() {
  KnownSet out;
  out.title = "CIFAR-10";
  out.folder = "cifar10";
  out.inner = {"cifar-10-batches-bin"};
  for (const char* name : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                           "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"}) {
    out.files.push_back(cifar_file(name, 10'000, 1));
  }
  const char* archive = "cifar-10-binary.tar.gz";
  out.mirrors = {"https://www.cs.toronto.edu/~kriz/"};
  out.archive = {archive,
                 "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
                 200 << 20,
                 {"data_batch_", "test_batch"}};
  for (const char* name : {"cifar-10-batches-py", "cifar-10-python.tar.gz", "data_batch_1"})
    out.near_misses.push_back(pickled(name, archive));
  return out;
}

struct Options : KnownOptions {
  Options() : KnownOptions(cifar10()) {}
};

class Cifar10 : public Cifar {
 public:
  Cifar10(const Options& options, const DataContext& context)
      : Cifar(cifar10(),
              class_column({"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse",
                            "ship", "truck"}),
              options, context) {}
};

VITRINE_REGISTER(Dataset, Cifar10, Options,
                 "small photos in ten classes, 32 x 32 colour; downloaded where no folder has them")

}  // namespace
}  // namespace vitrine
