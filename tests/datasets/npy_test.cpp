#include <algorithm>

#include "tests/datasets/array_support.h"

namespace vitrine {
namespace {

using Numbers = std::vector<int64_t>;
using namespace std::string_literals;

struct Fixture : ArrayFixture {
  Fixture() {
    write("x_train.npy", npy("|u1", "(2, 2, 3)", "\1\2\3\4\5\6\7\10\11\12\13\14"));
    write("y_train.npy", npy("<i8", "(2,)", bytes_of<int64_t>({1, 0})));
    write("x_test.npy", npy("|u1", "(1, 2, 3)", "\15\16\17\20\21\22"));
    write("y_test.npy", npy("<i8", "(1,)", bytes_of<int64_t>({2})));
  }
  // The training images that images of this kind become, those of the test in the same manner.
  Numbers pixels(const std::string& type, const std::string& shape, const std::string& data,
                 const std::string& test_shape, const std::string& test_data,
                 bool is_fortran = false) {
    write("x_train.npy", npy(type, shape, data, is_fortran));
    write("x_test.npy", npy(type, test_shape, test_data, is_fortran));
    return values_of(load_splits(*dataset(kYaml), {}).train.images);
  }
  static constexpr const char* kYaml = "{type: npy, path: $}";
};

TEST_CASE_METHOD(Fixture, "a folder of arrays under usual names is read") {
  const auto it = dataset(kYaml);
  CHECK(shape_in(it->info()) == Numbers{1, 2, 3, 2, 1});
  CHECK(it->info().columns[0].names == std::vector<std::string>{"0", "1", "2"});
  const LoadedSplits splits = load_splits(*it, {});
  CHECK(values_of(splits.train.images) == Numbers{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  CHECK(values_of(splits.train.labels[0]) == Numbers{1, 0});
  CHECK(values_of(splits.test.images) == Numbers{13, 14, 15, 16, 17, 18});
  CHECK(values_of(splits.test.labels[0]) == Numbers{2});
  CHECK(told.empty());
}

TEST_CASE_METHOD(Fixture, "each array may be named, and classes too") {
  const auto it = dataset(
      "{type: npy, train_images: $/x_train.npy, train_labels: $/y_train.npy, test_images: "
      "$/x_test.npy, test_labels: $/y_test.npy, class_names: [a, b, c]}");
  CHECK(it->info().columns[0].names == std::vector<std::string>{"a", "b", "c"});
  CHECK(load_splits(*it, {}).train.size() == 2);
  write("train_images.npy", npy("|u1", "(1, 2, 3)", "abcdef"));
  CHECK(failure(kYaml).ends_with(
      ": train_images and x_train may be meant: say which by a path for each array"));
}

TEST_CASE_METHOD(Fixture, "a validation split of its own is one, and what is not used is said") {
  write("x_val.npy", npy("|u1", "(1, 2, 3)", "abcdef"));
  write("y_val.npy", npy("|u1", "(1,)", "\1"));
  write("weights.npy", npy("<f4", "(1,)", "abcd"));
  const auto it = dataset(kYaml);
  CHECK(it->info().validation == 1);
  const LoadedSplits splits = load_splits(*it, {});
  REQUIRE(splits.validation);
  CHECK(values_of(splits.validation->images) == Numbers{'a', 'b', 'c', 'd', 'e', 'f'});
  CHECK(told == folder.path().string() + ": not used: weights.npy\n");
}

TEST_CASE_METHOD(Fixture, "orders and types of elements make no difference") {
  // numpy.asfortranarray of [[[0, 1, 2], [3, 4, 5]]]
  write("y_train.npy", npy("|b1", "(1,)", std::string(1, '\0')));
  CHECK(pixels("|u1", "(1, 2, 3)", std::string("\0\3\1\4\2\5", 6), "(1, 2, 3)", "abcdef", true) ==
        Numbers{0, 1, 2, 3, 4, 5});
  CHECK(told.empty());
  CHECK(pixels(">i2", "(1, 1, 2)", std::string("\0\3\0\xff", 4), "(1, 1, 2)",
               std::string("\0\1\0\2", 4)) == Numbers{3, 255});
  CHECK(told == "x_train.npy: int16 in 0..255\n");
  CHECK(pixels("<u4", "(1, 1, 1)", bytes_of<uint32_t>({200}), "(1, 1, 1)",
               bytes_of<uint32_t>({1})) == Numbers{200});
  CHECK(pixels("|b1", "(1, 1, 3)", std::string("\1\0\1", 3), "(1, 1, 3)", "\1\1\1") ==
        Numbers{255, 0, 255});
  CHECK(told == "x_train.npy: bool, taken for 0 and 255\n");
}

TEST_CASE_METHOD(Fixture, "real pixels are of 0..1 or of 0..255, in all sets alike") {
  write("y_train.npy", npy("|u1", "(1,)", std::string(1, '\0')));
  const std::string shape = "(1, 1, 3)";
  CHECK(pixels("<f4", shape, bytes_of<float>({0, 0.5, 1}), shape, bytes_of<float>({0, 0, 0})) ==
        Numbers{0, 128, 255});
  CHECK(told == "x_train.npy: float32 in 0..1, taken for 0..255\n");
  CHECK(pixels("<f8", shape, bytes_of<double>({0, 0.6, 1}), shape, bytes_of<double>({0, 0, 254})) ==
        Numbers{0, 1, 1});
  CHECK(told == "x_train.npy: float64 in 0..255, rounded\n");
  const auto refused = [&](std::initializer_list<float> train) {
    write("x_train.npy", npy("<f4", shape, bytes_of<float>(train)));
    write("x_test.npy", npy("<f4", shape, bytes_of<float>({0, 0, 0})));
    return failure(kYaml);
  };
  CHECK(refused({-0.5, 0, 1}) ==
        "x_train.npy: float32 from -0.5 to 1: pixels must be in 0..255 or 0..1");
  CHECK(refused({0, 0, 256}) ==
        "x_train.npy: float32 from 0 to 256: pixels must be in 0..255 or 0..1");
  CHECK(refused({0, NAN, 0}) == "x_train.npy: float32 with values that are no finite numbers");
  write("x_train.npy", npy("<u2", shape, bytes_of<uint16_t>({0, 1, 4000})));
  write("x_test.npy", npy("<u2", shape, bytes_of<uint16_t>({0, 0, 0})));
  CHECK(failure(kYaml) == "x_train.npy: uint16 from 0 to 4000: pixels must be in 0..255");
  write("x_test.npy", npy("|u1", shape, "abc"));
  CHECK(failure(kYaml) == "x_test.npy: uint8, and x_train.npy is uint16: all must be of one type");
}

TEST_CASE_METHOD(Fixture, "bytes of 0 and 1 are taken as they are, and said to be nearly black") {
  write("y_train.npy", npy("|u1", "(1,)", std::string(1, '\0')));
  CHECK(pixels("|u1", "(1, 1, 2)", std::string("\0\1", 2), "(1, 1, 2)", "\1\1") == Numbers{0, 1});
  CHECK(told == "x_train.npy: uint8 of 0 and 1 alone, taken as they are: nearly black, of 255\n");
}

TEST_CASE_METHOD(Fixture, "channels last are recognised and said") {
  write("y_train.npy", npy("|u1", "(1,)", std::string(1, '\0')));
  const std::string ten = "abcdefghijklmnopqrstuvwxyz1234";
  CHECK(pixels("|u1", "(1, 5, 2, 3)", ten, "(1, 5, 2, 3)", ten) ==
        Numbers{'a', 'd', 'g', 'j', 'm', 'p', 's', 'v', 'y', '2', 'b', 'e', 'h', 'k', 'n',
                'q', 't', 'w', 'z', '3', 'c', 'f', 'i', 'l', 'o', 'r', 'u', 'x', '1', '4'});
  CHECK(told == "x_train.npy: [1, 5, 2, 3] taken for [N, H, W, C], channels last\n");
  CHECK(shape_in(dataset(kYaml)->info()) == Numbers{3, 5, 2, 1, 1});
  CHECK(shape_in(dataset("{type: npy, path: $, layout: nchw}")->info()) == Numbers{5, 2, 3, 1, 1});
  CHECK(pixels("|u1", "(1, 3, 2, 5)", ten, "(1, 3, 2, 5)", ten)[1] == 'b');
  CHECK(told.empty());
  CHECK(shape_in(dataset("{type: npy, path: $, layout: nhwc}")->info()) == Numbers{5, 3, 2, 1, 1});
}

TEST_CASE_METHOD(Fixture, "rows of pixels are square images unless their size is given") {
  write("y_train.npy", npy("|u1", "(1,)", std::string(1, '\0')));
  CHECK(pixels("|u1", "(1, 4)", "abcd", "(1, 4)", "abcd") == Numbers{'a', 'b', 'c', 'd'});
  CHECK(shape_in(dataset(kYaml)->info()) == Numbers{1, 2, 2, 1, 1});
  load_splits(*dataset(kYaml), {});
  CHECK(told == "x_train.npy: rows of 4 pixels, taken for images of 2 x 2\n");
  CHECK(shape_in(dataset("{type: npy, path: $, height: 1, width: 4}")->info()) ==
        Numbers{1, 1, 4, 1, 1});
  CHECK(shape_in(dataset("{type: npy, path: $, height: 1, width: 2}")->info()) ==
        Numbers{2, 1, 2, 1, 1});
  CHECK(failure("{type: npy, path: $, height: 3, width: 1}") ==
        "x_train.npy: 4 pixels are no image of 3 x 1");
  write("x_train.npy", npy("|u1", "(1, 5)", "abcde"));
  CHECK(failure(kYaml) == "x_train.npy: 5 pixels are no square: say height and width of an image");
}

TEST_CASE_METHOD(Fixture, "labels may be a column, one-hot or whole numbers of a real type") {
  const auto labels = [&](const std::string& file) {
    write("y_train.npy", file);
    return values_of(load_splits(*dataset(kYaml), {}).train.labels[0]);
  };
  CHECK(labels(npy("|u1", "(2, 1)", "\1\2")) == Numbers{1, 2});
  CHECK(told.empty());
  CHECK(labels(npy("<f4", "(2, 3)", bytes_of<float>({0, 1, 0, 0, 0, 1}))) == Numbers{1, 2});
  CHECK(told == "y_train.npy: [2, 3] with a single 1 a row, taken for its place\n");
  CHECK(labels(npy("<f8", "(2,)", bytes_of<double>({2, 0}))) == Numbers{2, 0});
  CHECK(told == "y_train.npy: whole numbers of a real type, taken for classes\n");
  const auto refused = [&](const std::string& file) {
    write("y_train.npy", file);
    return failure(kYaml);
  };
  CHECK(refused(npy("|u1", "(2, 2)", std::string("\1\1\0\1", 4))) ==
        "y_train.npy: [2, 2] are not the classes of images: a row must have a single 1; arrays "
        "reads several labels an image");
  CHECK(refused(npy("<f4", "(2,)", bytes_of<float>({0.5, 1}))) ==
        "y_train.npy: labels must be whole numbers; arrays reads values");
  CHECK(refused(npy("|u1", "(3,)", "\1\1\1")) == "y_train.npy: 3 labels, 2 images in x_train.npy");
  CHECK(refused(npy("|u1", "(2, 1, 1)", "\1\1")) ==
        "y_train.npy: [2, 1, 1] are no labels: they must be [N] or one-hot");
  CHECK(refused(npy("|i1", "(2,)", "\1\xff")) == "npy: label -1 of training image 1 is below 0");
}

TEST_CASE_METHOD(Fixture, "labels far beyond their number are taken for names of classes") {
  write("y_train.npy", npy("<i4", "(2,)", bytes_of<int32_t>({2'000'000, 7})));
  write("y_test.npy", npy("<i8", "(1,)", bytes_of<int64_t>({1'000'000})));
  const auto it = dataset(kYaml);
  CHECK(it->info().columns[0].names == std::vector<std::string>{"7", "1000000", "2000000"});
  const LoadedSplits splits = load_splits(*it, {});
  CHECK(values_of(splits.train.labels[0]) == Numbers{2, 0});
  CHECK(values_of(splits.test.labels[0]) == Numbers{1});
  CHECK(told ==
        "y_train.npy: 3 different labels up to 2000000 are taken for as many classes, which are "
        "called by them\n");
}

TEST_CASE_METHOD(Fixture, "labels below the number of classes that are named count these") {
  write("y_train.npy", npy("|u1", "(2,)", "\5\5"));
  write("y_test.npy", npy("|u1", "(1,)", "\13"));
  const auto it =
      dataset("{type: npy, path: $, class_names: [a, b, c, d, e, f, g, h, i, j, k, l, m]}");
  CHECK(it->info().classes() == 13);
  CHECK(values_of(load_splits(*it, {}).test.labels[0]) == Numbers{11});
  write("y_test.npy", npy("|u1", "(1,)", "\62"));
  write("y_train.npy", npy("|u1", "(2,)", "\62\62"));
  CHECK(dataset(kYaml)->info().columns[0].names == std::vector<std::string>{"50"});
}

TEST_CASE_METHOD(Fixture, "there may be a hundred thousand classes") {
  std::string images, labels;
  for (int32_t i = 0; i < 20'000; ++i) {
    images += "a";
    const int32_t label = 6 * i;
    labels += {reinterpret_cast<const char*>(&label), 4};
  }
  write("x_train.npy", npy("|u1", "(20000, 1, 1)", images));
  write("y_train.npy", npy("<i4", "(20000,)", labels));
  write("x_test.npy", npy("|u1", "(1, 1, 1)", "a"));
  CHECK(failure(kYaml) == "y_train.npy: label 119994 is too large; there may be 100000 classes");
}

// Images that begin with 10, 20, ... 100; their labels are 0, 1, 0, 1, ...
struct Drawn : Fixture {
  Drawn() {
    std::string images, labels;
    for (char i = 1; i <= 10; ++i) {
      images += std::string(1, static_cast<char>(10 * i)) + "ab";
      labels += static_cast<char>((i - 1) % 2);
    }
    write("x_train.npy", npy("|u1", "(10, 1, 3)", images));
    write("y_train.npy", npy("|u1", "(10,)", labels));
    std::filesystem::remove(path("x_test.npy"));
    std::filesystem::remove(path("y_test.npy"));
  }
  static constexpr const char* kYaml = "{type: npy, path: $, test_share: 0.4}";
};

TEST_CASE_METHOD(Drawn, "a test that the files do not have is drawn from the training images") {
  const auto it = dataset(kYaml);
  CHECK(shape_in(it->info()) == Numbers{1, 1, 3, 6, 4});
  CHECK(it->info().draws_split);
  const LoadedSplits splits = load_splits(*it, {});
  CHECK(splits.test.labels[0].sum().item<int64_t>() == 2);
  const auto firsts = [](const Split& split) { return values_of(split.images.select(3, 0)); };
  Numbers all = firsts(splits.train);
  const Numbers test = firsts(splits.test);
  CHECK(values_of(splits.test.labels[0]) ==
        values_of(
            splits.test.images.select(3, 0).to(at::kLong).div(10, "floor").sub(1).remainder(2)));
  all.insert(all.end(), test.begin(), test.end());
  std::sort(all.begin(), all.end());
  CHECK(all == Numbers{10, 20, 30, 40, 50, 60, 70, 80, 90, 100});
  CHECK(firsts(load_splits(*dataset("{type: npy, path: $, test_share: 0.4, validation: 2}"), {})
                   .test) == test);
  CHECK(firsts(
            load_splits(*dataset("{type: npy, path: $, test_share: 4, split_seed: 5}"), {}).test) !=
        test);
  DataContext context;
  context.streams = true;
  const auto streamed =
      make<Dataset>("{type: npy, path: " + folder.path().string() + ", test_share: 0.4}", context);
  const LoadedSplits read = load_splits(*streamed, {});
  REQUIRE(read.test.source);
  CHECK(read.test.source->read(1).pixels[0] == test[1]);
  CHECK(read.fingerprint == splits.fingerprint);
}

TEST_CASE_METHOD(Drawn,
                 "it is drawn of images without labels too, and only where there is no test") {
  std::filesystem::remove(path("y_train.npy"));
  CHECK(shape_in(dataset(kYaml)->info()) == Numbers{1, 1, 3, 6, 4});
  CHECK(load_splits(*dataset(kYaml), {}).test.labels.empty());
  write("x_test.npy", npy("|u1", "(1, 1, 3)", "abc"));
  CHECK(without_folder(message_of(ExitCode::kUsage, [&] { dataset(kYaml)->info(); })) ==
        "dataset.test_share (0.4) would have no effect: x_test.npy is the test");
}

TEST_CASE_METHOD(Fixture,
                 "without labels there are images alone, with some only a test may lack them") {
  std::filesystem::remove(path("y_train.npy"));
  CHECK(failure(kYaml) ==
        "x_train.npy: there are no labels for these images, as y_test.npy are for x_test.npy");
  write("y_train.npy", npy("|u1", "(2,)", "\1\0"s));
  std::filesystem::remove(path("y_test.npy"));
  CHECK_FALSE(dataset(kYaml)->info().test_has_labels);
  CHECK(load_splits(*dataset(kYaml), {}).test.labels.empty());
  write("x_val.npy", npy("|u1", "(1, 2, 3)", "abcdef"));
  CHECK(failure(kYaml) ==
        "x_val.npy: there are no labels for these images, as y_train.npy are for x_train.npy");
  std::filesystem::remove(path("x_val.npy"));
  std::filesystem::remove(path("y_train.npy"));
  CHECK(dataset(kYaml)->info().columns.empty());
  CHECK(load_splits(*dataset(kYaml), {}).train.labels.empty());
}

TEST_CASE_METHOD(Fixture, "bytes are read as they are wanted, where that is asked for") {
  std::string train = "abcdefghijklmnopqrstuvwxyz1234567890", test = train.substr(0, 18);
  const auto both = [&](const std::string& type, const std::string& shape) {
    write("x_train.npy", npy(type, "(2, " + shape, train));
    write("x_test.npy", npy(type, "(1, " + shape, test));
    const LoadedSplits held = load_splits(*dataset(kYaml), {});
    DataContext context;
    context.streams = true;
    told.clear();
    context.tell = [this](const std::string& message) { told += without_folder(message) + "\n"; };
    const auto it = make<Dataset>("{type: npy, path: " + folder.path().string() + "}", context);
    const LoadedSplits streamed = load_splits(*it, {});
    CHECK(streamed.fingerprint == held.fingerprint);
    return streamed;
  };
  for (const std::string shape : {"9, 2)", "3, 2, 3)", "6, 1, 3)"}) {
    const LoadedSplits streamed = both("|u1", shape);
    REQUIRE(streamed.train.source);
    CHECK(!streamed.train.images.defined());
    CHECK(streamed.train.source->read(1).pixels.size() == 18);
  }
  CHECK(told == "x_train.npy: [2, 6, 1, 3] taken for [N, H, W, C], channels last\n");
  train = std::string(36, '\0');
  test = std::string(18, '\0');
  CHECK(both("<i2", "3, 3)").train.images.defined());
  CHECK(told ==
        "x_train.npy: held in memory: only the bytes (uint8) of a file of their own, row-major, "
        "are read as they are wanted\nx_train.npy: int16 of 0 and 1 alone, taken as they are: "
        "nearly black, of 255\n");
}

TEST_CASE_METHOD(Fixture, "what is missing or wrong is named") {
  write("x_test.npy", npy("|u1", "(1, 3, 2)", "abcdef"));
  CHECK(failure(kYaml) ==
        "x_test.npy: images of [1, 3, 2], those of x_train.npy are [1, 2, 3]: "
        "all must have one shape");
  write("x_test.npy", npy("|u1", "(0, 2, 3)", ""));
  CHECK(failure(kYaml) == "x_test.npy: [0, 2, 3]: it is empty");
  write("x_test.npy", npy("|u1", "(6,)", "abcdef"));
  CHECK(failure(kYaml) ==
        "x_test.npy: [6] are no images: they must be [N, C, H, W], [N, H, W, C], "
        "[N, H, W] or [N, pixels]");
  write("x_test.npy", "PK\3\4");
  CHECK(failure(kYaml) ==
        "x_test.npy: this is a file of several arrays (.npz): dataset: {type: npz} reads it");
  std::filesystem::remove(path("x_test.npy"));
  CHECK(failure(kYaml) == "y_test.npy: there are no images for these labels");
  std::filesystem::remove(path("y_test.npy"));
  CHECK(failure(kYaml).ends_with(
      "no file is called as test images usually are (x_test.npy, test_images.npy, ...): say which "
      "it is by test_images, or have test_share take some of those to train on; it has "
      "x_train.npy, y_train.npy"));
  CHECK(failure("{type: npy, train_images: $/none.npy, test_images: $/none.npy}") ==
        "cannot read none.npy: no such file");
}

TEST_CASE("npy needs its files, and height with width") {
  CHECK(problems_of<Dataset>("npy", {}) ==
        "test.yaml:1:5: dataset: npy needs path, the folder with the arrays, or train_images, "
        "train_labels, test_images and test_labels, a file for each; test_share stands for those "
        "of the "
        "test\n"
        "    1 | it: npy\n"
        "      |     ^");
  CHECK(problems_of<Dataset>("{type: npy, path: a, height: 3}", {}) ==
        "test.yaml:1:34: dataset: height and width are given together\n"
        "    1 | it: {type: npy, path: a, height: 3}\n"
        "      |                                  ^");
}

}  // namespace
}  // namespace vitrine
