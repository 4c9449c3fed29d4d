#include "tests/datasets/array_support.h"

namespace vitrine {
namespace {

using Numbers = std::vector<int64_t>;

struct Fixture : ArrayFixture {
  LoadedSplits load(const std::string& train, const std::string& test,
                    const std::string& more = "") {
    write("train.csv", train);
    write("test.csv", test);
    it = dataset(yaml(more));
    return load_splits(*it, {});
  }
  std::string refused(const std::string& train, const std::string& more = "") {
    write("train.csv", train);
    write("test.csv", "label,a,b,c,d\n0,1,2,3,4\n");
    return failure(yaml(more));
  }
  static std::string yaml(const std::string& more) {
    return "{type: csv, train: $/train.csv, test: $/test.csv" + more + "}";
  }
  std::shared_ptr<Dataset> it;
};

TEST_CASE_METHOD(Fixture, "Kaggle's digits are read") {
  const std::string header = "label,pixel0,pixel1,pixel2,pixel3\n";
  const LoadedSplits splits = load(header + "1,0,1,2,255\r\n7,4,5,6,7\r\n", header + "3,8,9,10,11");
  CHECK(shape_in(it->info()) == Numbers{1, 2, 2, 2, 1});
  CHECK(it->info().classes() == 8);
  CHECK(values_of(splits.train.images) == Numbers{0, 1, 2, 255, 4, 5, 6, 7});
  CHECK(values_of(splits.train.labels[0]) == Numbers{1, 7});
  CHECK(values_of(splits.test.images) == Numbers{8, 9, 10, 11});
  CHECK(values_of(splits.test.labels[0]) == Numbers{3});
  CHECK(told == "train.csv: rows of 4 pixels, taken for images of 2 x 2\n");
}

TEST_CASE_METHOD(Fixture, "Kaggle's test images have no classes") {
  const LoadedSplits splits = load("label,pixel0,pixel1,pixel2,pixel3\n1,0,1,2,255\n0,4,5,6,7\n",
                                   "pixel0,pixel1,pixel2,pixel3\n8,9,10,11\n");
  CHECK_FALSE(it->info().test_has_labels);
  CHECK(it->info().classes() == 2);
  CHECK(splits.test.labels.empty());
  CHECK(values_of(splits.test.images) == Numbers{8, 9, 10, 11});
}

TEST_CASE_METHOD(Fixture, "a table alone gives a share of its images to the test") {
  write("train.csv", "label,a\nx,0\nx,1\nx,2\ny,3\ny,4\ny,5\n");
  it = dataset("{type: csv, train: $/train.csv, test_share: 2}");
  CHECK(shape_in(it->info()) == Numbers{1, 1, 1, 4, 2});
  const LoadedSplits splits = load_splits(*it, {});
  CHECK(values_of(splits.test.labels[0]) == Numbers{0, 1});
  CHECK(values_of(splits.train.labels[0]) == Numbers{0, 0, 1, 1});
}

TEST_CASE_METHOD(Fixture, "IDs are taken for names of classes") {
  const LoadedSplits splits = load("label,a\n7000,0\n5000,1\n", "label,a\n7000,0\n");
  CHECK(it->info().columns[0].names == std::vector<std::string>{"5000", "7000"});
  CHECK(values_of(splits.train.labels[0]) == Numbers{1, 0});
  CHECK(values_of(splits.test.labels[0]) == Numbers{1});
}

TEST_CASE_METHOD(Fixture, "the column of classes may stand anywhere, be named, and hold texts") {
  const LoadedSplits splits =
      load("id,a,b,kind\n1,10,20,\"owl\"\n2,30,40,cat\n", "id,a,b,kind\n3,50,60,dog\n",
           ", label: kind, height: 1, width: 2");
  CHECK(it->info().columns[0].names == std::vector<std::string>{"cat", "dog", "owl"});
  CHECK(values_of(splits.train.labels[0]) == Numbers{2, 0});
  CHECK(values_of(splits.test.labels[0]) == Numbers{1});
  CHECK(values_of(splits.train.images) == Numbers{10, 20, 30, 40});
  CHECK(told ==
        "train.csv: not used: the column \"id\"\ntest.csv: not used: the column \"id\"\n"
        "test.csv: the class \"dog\" is not among the training images\n");
}

TEST_CASE_METHOD(Fixture,
                 "where no columns are named the first is the class, or that of a number") {
  const LoadedSplits splits = load("5,1,2,3,4\n0,5,6,7,8\n", "1,9,9,9,9\n");
  CHECK(values_of(splits.train.labels[0]) == Numbers{5, 0});
  CHECK(values_of(splits.train.images) == Numbers{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(told ==
        "train.csv: its first line names no columns: column 0 is taken for the class\n"
        "test.csv: its first line names no columns: column 0 is taken for the class\n"
        "train.csv: rows of 4 pixels, taken for images of 2 x 2\n");
  const LoadedSplits last = load("1,2,3,4,5\n", "9,9,9,9,1\n", ", label: 4");
  CHECK(values_of(last.train.labels[0]) == Numbers{5});
  CHECK(values_of(last.train.images) == Numbers{1, 2, 3, 4});
}

TEST_CASE_METHOD(Fixture, "real pixels of 0..1 are taken for 0..255") {
  const LoadedSplits splits = load("label,a\n0.0,0.5\n1.0,1.0\n", "label,a\n1.0,0\n");
  CHECK(values_of(splits.train.images) == Numbers{128, 255});
  CHECK(values_of(splits.train.labels[0]) == Numbers{0, 1});
}

TEST_CASE_METHOD(Fixture, "what is wrong is named, with its line") {
  CHECK(refused("") == "train.csv: the table is empty");
  CHECK(refused("label,a,b,c,d\n") == "train.csv: the table has no images");
  CHECK(refused("label,a,b,c,d\n0,1,2,3,4\n0,1,2,3\n") ==
        "train.csv: line 3: 4 cells, the first line has 5");
  CHECK(refused("label,a,b,c,d\n0,1,2,x,4\n") == "train.csv: line 2: the pixel \"x\" is no number");
  CHECK(refused("label,a,b,c,d\n0,1,2,,4\n") == "train.csv: line 2: the pixel \"\" is no number");
  CHECK(refused("label,a,b,c,d\n0,1,2,300,4\n") ==
        "train.csv: whole numbers from 0 to 300: pixels must be in 0..255");
  CHECK(refused("label,a,b,c\n0,1,2,3\n", ", height: 2, width: 2") ==
        "test.csv: its columns of pixels are not those of train.csv, in this order");
  CHECK(refused("a,b,c,d,e\n0,1,2,3,4\n") ==
        "train.csv: no column is called as classes usually are (label, class, target): say which "
        "has them by label; it has a, b, c, d, e");
  CHECK(refused("label,a,b,c,d\n0,1,2,3,4\n", ", label: kind") ==
        "train.csv: has no column kind; it has label, a, b, c, d");
  CHECK(refused("label,class,b,c,d\n0,1,2,3,4\n") ==
        "train.csv: the columns label and class may be the classes: say which by label");
  CHECK(refused("1,2,3\n", ", label: kind") ==
        "train.csv: its first line names no columns: label must be a number from 0 to 2, got "
        "\"kind\"");
  CHECK(refused("label,p1,p10,p2,p3\n0,1,2,3,4\n") ==
        "train.csv: its pixels are not in order: p2 stands behind p10");
  CHECK(refused("label,a,b,c,d\n0.5,1,2,3,4\n") ==
        "train.csv: labels: labels must be whole numbers; arrays reads values");
  CHECK(problems_of<Dataset>("csv", {}) ==
        "test.yaml:1:5: dataset: csv needs train and test, the tables with the images; test_share "
        "stands for test\n"
        "    1 | it: csv\n"
        "      |     ^");
}

}  // namespace
}  // namespace vitrine
