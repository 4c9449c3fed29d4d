#include "datasets/cifar.h"
#include "framework/registry/register.h"

namespace vitrine {
namespace {

KnownSet cifar100() {
  KnownSet out;
  out.title = "CIFAR-100";
  out.folder = "cifar100";
  out.inner = {"cifar-100-binary"};
  out.own_names = false;
  out.files = {cifar_file("train.bin", 50'000, 2), cifar_file("test.bin", 10'000, 2)};
  const char* archive = "cifar-100-binary.tar.gz";
  out.mirrors = {"https://www.cs.toronto.edu/~kriz/"};
  out.archive = {archive,
                 "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
                 200 << 20,
                 {"train.bin", "test.bin"}};
  for (const char* name : {"cifar-100-python", "cifar-100-python.tar.gz", "train"})
    out.near_misses.push_back(pickled(name, archive));
  return out;
}

const std::vector<std::string> kFine = {
    "apple",       "aquarium_fish", "baby",      "bear",       "beaver",       "bed",
    "bee",         "beetle",        "bicycle",   "bottle",     "bowl",         "boy",
    "bridge",      "bus",           "butterfly", "camel",      "can",          "castle",
    "caterpillar", "cattle",        "chair",     "chimpanzee", "clock",        "cloud",
    "cockroach",   "couch",         "crab",      "crocodile",  "cup",          "dinosaur",
    "dolphin",     "elephant",      "flatfish",  "forest",     "fox",          "girl",
    "hamster",     "house",         "kangaroo",  "keyboard",   "lamp",         "lawn_mower",
    "leopard",     "lion",          "lizard",    "lobster",    "man",          "maple_tree",
    "motorcycle",  "mountain",      "mouse",     "mushroom",   "oak_tree",     "orange",
    "orchid",      "otter",         "palm_tree", "pear",       "pickup_truck", "pine_tree",
    "plain",       "plate",         "poppy",     "porcupine",  "possum",       "rabbit",
    "raccoon",     "ray",           "road",      "rocket",     "rose",         "sea",
    "seal",        "shark",         "shrew",     "skunk",      "skyscraper",   "snail",
    "snake",       "spider",        "squirrel",  "streetcar",  "sunflower",    "sweet_pepper",
    "table",       "tank",          "telephone", "television", "tiger",        "tractor",
    "train",       "trout",         "tulip",     "turtle",     "wardrobe",     "whale",
    "willow_tree", "wolf",          "woman",     "worm"};
const std::vector<std::string> kCoarse = {"aquatic_mammals",
                                          "fish",
                                          "flowers",
                                          "food_containers",
                                          "fruit_and_vegetables",
                                          "household_electrical_devices",
                                          "household_furniture",
                                          "insects",
                                          "large_carnivores",
                                          "large_man-made_outdoor_things",
                                          "large_natural_outdoor_scenes",
                                          "large_omnivores_and_herbivores",
                                          "medium_mammals",
                                          "non-insect_invertebrates",
                                          "people",
                                          "reptiles",
                                          "small_mammals",
                                          "trees",
                                          "vehicles_1",
                                          "vehicles_2"};

struct Options : KnownOptions {
  Options() : KnownOptions(cifar100()) {}
};

class Cifar100 : public Cifar {
 public:
  Cifar100(const Options& options, const DataContext& context)
      : Cifar(cifar100(),
              {{"coarse", LabelColumn::Kind::kClasses, kCoarse},
               {kLabel, LabelColumn::Kind::kClasses, kFine}},
              options, context) {}
};

VITRINE_REGISTER(Dataset, Cifar100, Options,
                 "small photos in 100 classes, and in 20 coarse ones, 32 x 32 colour; downloaded "
                 "where no folder has them")

}  // namespace
}  // namespace vitrine
