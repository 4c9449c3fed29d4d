#include "datasets/mnist_like.h"
#include "framework/registry/register.h"

// Fashion-MNIST (Xiao, Rasul, Vollgraf 2017, github.com/zalandoresearch/fashion-mnist): 60,000 and
// 10,000 grey images of 28 x 28 pixels of clothes, in files with MNIST's names and format.
namespace vitrine {
namespace {

KnownIdxSet fashion_mnist() {
  KnownIdxSet out =
      mnist_like("Fashion-MNIST", "fashion_mnist", "FashionMNIST",
                 {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt",
                  "Sneaker", "Bag", "Ankle boot"},
                 {"3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                  "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                  "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                  "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"});
  out.flips_change_classes = false;
  out.inner.insert(out.inner.end(), {"fashion-mnist", "fashion-mnist/data/fashion"});
  out.mirrors = {
      "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
      "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"};
  out.near_misses = {
      {"fashion-mnist_train.csv", "read it as dataset: {type: csv, train: ..., test: ...}"},
      {"archive.zip", "unpack it"}};
  return out;
}

struct Options : KnownOptions {
  Options() : KnownOptions(fashion_mnist()) {}
};

class FashionMnist : public KnownIdx {
 public:
  FashionMnist(const Options& options, const DataContext& context)
      : KnownIdx(fashion_mnist(), options, context) {}
};

VITRINE_REGISTER(Dataset, FashionMnist, Options,
                 "clothes in ten classes, 28 x 28 grey; downloaded where no folder has them")

}  // namespace
}  // namespace vitrine
