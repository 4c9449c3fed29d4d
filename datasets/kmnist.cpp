#include "datasets/mnist_like.h"
#include "framework/registry/register.h"

// Kuzushiji-MNIST (Clanuwat et al. 2018, codh.rois.ac.jp/kmnist): 60,000 and 10,000 grey images of
// 28 x 28 pixels of ten cursive hiragana, in files with MNIST's names and format.
namespace vitrine {
namespace {

KnownIdxSet kmnist() {
  KnownIdxSet out = mnist_like(
      "KMNIST", "kmnist", "KMNIST", {"o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"},
      {"51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
       "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
       "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
       "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"});
  out.mirrors = {"https://codh.rois.ac.jp/kmnist/dataset/kmnist/"};
  out.near_misses = {{"archive.zip", "unpack it"}};
  return out;
}

struct Options : KnownOptions {
  Options() : KnownOptions(kmnist()) {}
};

class Kmnist : public KnownIdx {
 public:
  Kmnist(const Options& options, const DataContext& context)
      : KnownIdx(kmnist(), options, context) {}
};

VITRINE_REGISTER(Dataset, Kmnist, Options,
                 "cursive hiragana in ten classes, 28 x 28 grey; downloaded where no folder has "
                 "them")

}  // namespace
}  // namespace vitrine
