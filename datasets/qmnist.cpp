#include "datasets/mnist_like.h"
#include "framework/registry/register.h"

// QMNIST (Yadav, Bottou 2019, github.com/facebookresearch/qmnist): MNIST's digits made anew, with
// 60,000 test images instead of 10,000. Its labels have eight columns, of which the first is the
// digit.
namespace vitrine {
namespace {

KnownIdxSet qmnist() {
  KnownIdxSet out = mnist_like("QMNIST", "qmnist", "QMNIST", digit_names());
  out.test = 60'000;
  out.files = {idx_file("qmnist-train-images-idx3-ubyte", {60'000, 28, 28}),
               idx_file("qmnist-train-labels-idx2-int", {60'000, 8}, IdxType::kInt),
               idx_file("qmnist-test-images-idx3-ubyte", {60'000, 28, 28}),
               idx_file("qmnist-test-labels-idx2-int", {60'000, 8}, IdxType::kInt)};
  out.files[0].published = "ed72d4157d28c017586c42bc6afe6370";
  out.files[1].published = "0058f8dd561b90ffdd0f734c6a30e5e4";
  out.files[2].published = "1394631089c404de565df7b7aeaf9412";
  out.files[3].published = "5b5b05890a5e13444e108efe57b788aa";
  out.mirrors = {"https://raw.githubusercontent.com/facebookresearch/qmnist/master/"};
  return out;
}

struct Options : KnownOptions {
  Options() : KnownOptions(qmnist()) {}
};

class Qmnist : public KnownIdx {
 public:
  Qmnist(const Options& options, const DataContext& context)
      : KnownIdx(qmnist(), options, context) {}
};

VITRINE_REGISTER(Dataset, Qmnist, Options,
                 "MNIST with 60,000 test images; downloaded where no folder has them")

}  // namespace
}  // namespace vitrine
