#include "framework/config/fields.h"

#include <cstdlib>

#include "framework/registry/register.h"
#include "tests/framework/config/support.h"
#include "tests/schema_python.h"

using namespace vitrine;

namespace {

// A kind with three components, as a config meets them.
struct Pet {
  static constexpr const char* kKind = "pet";
  struct Context {};
  virtual ~Pet() = default;
};

struct CatOptions {
  int64_t lives = 9;
  std::string mood = "calm";
  void visit(Fields& field) {
    field("lives", lives, "how many are left", at_least(1));
    field("mood", mood, "how it feels", one_of({"calm", "curious", "cross"}));
  }
};
struct Meal {
  int64_t grams = 50;
  bool warm = true;
  void visit(Fields& field) {
    field("grams", grams, "how much", between(1, 1000)).words({"weight", "portion"});
    field("warm", warm, "whether it is warmed up");
  }
};
struct DogOptions {
  Meal meal;
  void visit(Fields& field) { field("meal", meal, "what it eats"); }
};
template <class Options>
struct AnyPet : Pet {
  AnyPet(const Options&, const Context&) {}
};
const bool cat =
    register_component<Pet, AnyPet<CatOptions>, CatOptions>("a cat", "pets/cat.cpp", 1);
const bool dog =
    register_component<Pet, AnyPet<DogOptions>, DogOptions>("a dog", "pets/dog.cpp", 1);
const bool fish =
    register_component<Pet, AnyPet<NoOptions>, NoOptions>("a fish", "pets/fish.cpp", 1);

struct Home {
  std::string name = "home";
  int64_t rooms = 3;
  double rent = 0.5;
  bool garden = false;
  std::optional<int64_t> floor;
  std::optional<double> height;
  std::optional<std::string> street;
  std::vector<int64_t> sizes = {1, 2};
  std::vector<double> weights;
  std::vector<std::string> words;
  Meal meal;
  std::optional<Meal> party;
  std::vector<Meal> meals;
  Choice<Pet> pet{"cat"};
  std::optional<Choice<Pet>> guest;
  std::vector<Choice<Pet>> pets;

  void visit(Fields& field) {
    field("name", name, "what it is called");
    field("rooms", rooms, "number of rooms", at_least(1)).words({"chambers"});
    field("rent", rent, "share of the income", from_below(0, 1));
    field("garden", garden, "whether there is one");
    field("floor", floor, "its floor", at_least(0));
    field("height", height, "of a room, in metres", above(0));
    field("street", street, "where it stands");
    field("sizes", sizes, "of the rooms", at_least(1));
    field("weights", weights, "of the walls");
    field("words", words, "about it", one_of({"small", "bright"}));
    field("meal", meal, "every day");
    field("party", party, "on Sundays");
    field("meals", meals, "of the week");
    field("pet", pet, "who lives there");
    field("guest", guest, "who visits");
    field("pets", pets, "who else lives there");
  }
};

struct NeedsPet {
  Choice<Pet> pet;
  void visit(Fields& field) { field("pet", pet, "who lives there"); }
};

// The problem with one line of YAML.
std::string problem(const std::string& line) { return problems_with<Home>(line); }

std::string one_line(const std::string& column, const std::string& message, const std::string& line,
                     const std::string& hint = "") {
  return "a.yaml:1:" + column + ": " + message + "\n    1 | " + line + "\n      | " +
         std::string(std::stoul(column) - 1, ' ') + "^" + (hint.empty() ? "" : " " + hint);
}

}  // namespace

TEST_CASE("every type of field reads its values", "[fields]") {
  Home home;
  CHECK(problems_with("{name: yes, rooms: 1e2, rent: .25, garden: true, floor: 0, height: 2.5, "
                      "street: 12, sizes: [1, 2_000], weights: 1e-3,\n"
                      " words: [bright], meal: {grams: 70}, party: {}, meals: [{grams: 1}, {warm: "
                      "false}], pet: dog, guest: {type: cat, lives: 3},\n"
                      " pets: [cat, {type: dog, meal: {grams: 9}}]}",
                      home) == "");
  CHECK(write_fields(fields_of(home)).json().dump() ==
        R"({"name":"yes","rooms":100,"rent":0.25,"garden":true,)"
        R"("floor":0,"height":2.5,"street":"12","sizes":[1,2000],)"
        R"("weights":[0.001],"words":["bright"],"meal":{"grams":70,)"
        R"("warm":true},"party":{"grams":50,"warm":true},)"
        R"("meals":[{"grams":1,"warm":true},{"grams":50,"warm":false}],)"
        R"("pet":{"type":"dog","meal":{"grams":50,"warm":true}},)"
        R"("guest":{"type":"cat","lives":3,"mood":"calm"},)"
        R"("pets":[{"type":"cat","lives":9,"mood":"calm"},)"
        R"({"type":"dog","meal":{"grams":9,"warm":true}}]})");
}

TEST_CASE("defaults are complete, also those of components", "[fields]") {
  Home home;
  CHECK(problems_with("{}", home) == "");
  CHECK(to_yaml(write_fields(fields_of(home))) ==
        "name: home\nrooms: 3\nrent: 0.5\ngarden: false\nfloor: null\nheight: null\nstreet: "
        "null\nsizes: [1, 2]\nweights: []\n"
        "words: []\nmeal:\n  grams: 50\n  warm: true\nparty: null\nmeals: []\npet:\n  type: cat\n  "
        "lives: 9\n  mood: calm\n"
        "guest: null\npets: []\n");
}

TEST_CASE("null and false take optional things away", "[fields]") {
  Home home;
  CHECK(problems_with("{floor: 1, street: x, party: {}, guest: cat}", home) == "");
  CHECK(problems_with("{floor: null, street: ~, party: false, guest: null}", home) == "");
  CHECK_FALSE((home.floor || home.street || home.party || home.guest));
}

TEST_CASE("a wrong type is refused by every type of field", "[fields]") {
  CHECK(problem("name: [a]") == one_line("7", "name: expected a text, got a list", "name: [a]"));
  CHECK(problem("name:") ==
        one_line("1", "name: expected a text, got nothing", "name:",
                 "an empty text is written \"\"; leave it out for its default, "
                 "home; unset: [name], at the top, takes back what a base says"));
  CHECK(problem("rooms: many") ==
        one_line("8", "rooms: expected a whole number at least 1, got \"many\"", "rooms: many"));
  CHECK(problem("rooms: 8.0") ==
        one_line("8", "rooms: expected a whole number at least 1, got 8.0", "rooms: 8.0"));
  CHECK(problem("rooms: '8'") == one_line("8",
                                          "rooms: expected a whole number at least 1, got \"8\"",
                                          "rooms: '8'", "write it without quotes"));
  CHECK(problem("rooms: 0777") ==
        one_line("8", "rooms: expected a whole number at least 1, got \"0777\"", "rooms: 0777",
                 "write it without the leading 0"));
  CHECK(problem("rent: fast") ==
        one_line("7", "rent: expected a number from 0 to below 1, got \"fast\"", "rent: fast"));
  CHECK(problem("rent: inf") ==
        one_line("7", "rent: expected a number from 0 to below 1, got inf", "rent: inf"));
  CHECK(problem("rent: .nan") ==
        one_line("7", "rent: expected a number from 0 to below 1, got .nan", "rent: .nan"));
  const std::string bits =
      "from 1.2e-38 to 3.4e+38 in size, or 0: what is computed with has 32 bits";
  CHECK_THAT(problem("weights: [1e39]"), EndsWith("weights: [1e39]\n      |           ^ " + bits));
  CHECK_THAT(problem("weights: [1e-39]"), EndsWith(bits));
  CHECK(problem("weights: [0, -3e38, 2e-38]") == "");
  CHECK(problem("weights: inf") ==
        one_line("10", "weights: expected a number, or a list of them, got inf", "weights: inf"));
  CHECK(problem("garden: yes") ==
        one_line("9", "garden: expected true or false, got \"yes\"", "garden: yes", "write true"));
  CHECK(problem("garden: off") ==
        one_line("9", "garden: expected true or false, got \"off\"", "garden: off", "write false"));
  CHECK(problem("garden: 1") ==
        one_line("9", "garden: expected true or false, got 1", "garden: 1"));
  CHECK(problem("garden: 'true'") == one_line("9", "garden: expected true or false, got \"true\"",
                                              "garden: 'true'", "write it without quotes"));
  CHECK(problem("floor: {}") ==
        one_line("8", "floor: expected a whole number at least 0 or null, got a mapping",
                 "floor: {}"));
  CHECK(problem("height: tall") ==
        one_line("9", "height: expected a number above 0 or null, got \"tall\"", "height: tall"));
  CHECK(problem("street: []") ==
        one_line("9", "street: expected a text or null, got a list", "street: []"));
  CHECK(problem("sizes: {}") ==
        one_line("8", "sizes: expected a whole number at least 1, or a list of them, got a mapping",
                 "sizes: {}"));
  CHECK(problem("sizes: [1, x]") ==
        one_line("12", "sizes.1: expected a whole number at least 1, got \"x\"", "sizes: [1, x]"));
  CHECK(problem("words: [brigth]") ==
        one_line("9", "words.0: expected one of small, bright, got \"brigth\"", "words: [brigth]",
                 "did you mean bright?"));
  CHECK(problem("meal: soup") == one_line("7", "meal: expected a mapping, got \"soup\"",
                                          "meal: soup", "its keys are grams, warm"));
  CHECK(problem("party: true") == one_line("8", "party: expected a mapping, got true",
                                           "party: true", "its keys are grams, warm"));
  CHECK(problem("meals: {}") == one_line("8", "meals: expected a list, got a mapping", "meals: {}",
                                         "write it as [first, second]"));
  CHECK(problem("meals: [{}, 3]") == one_line("13", "meals.1: expected a mapping, got 3",
                                              "meals: [{}, 3]", "its keys are grams, warm"));
  CHECK(problem("pets: cat") == one_line("7", "pets: expected a list, got \"cat\"", "pets: cat",
                                         "write it as [first, second]"));
}

TEST_CASE("values out of range are refused with what is allowed", "[fields]") {
  CHECK(problem("rooms: 0") ==
        one_line("8", "rooms: expected a whole number at least 1, got 0", "rooms: 0"));
  CHECK(problem("rooms: 9223372036854775808") ==
        one_line("8", "rooms: expected a whole number at least 1, got 9223372036854775808",
                 "rooms: 9223372036854775808",
                 "at most 9223372036854775807, which is what 64 bits hold"));
  CHECK(problem("rent: 1") ==
        one_line("7", "rent: expected a number from 0 to below 1, got 1", "rent: 1"));
  CHECK(problem("height: 0") ==
        one_line("9", "height: expected a number above 0 or null, got 0", "height: 0"));
  CHECK(problem("meal: {grams: 1001}") ==
        one_line("15", "meal.grams: expected a whole number from 1 to 1000, got 1001",
                 "meal: {grams: 1001}"));
  CHECK(problem("pet: {lives: 0}") ==
        one_line("14", "pet.lives: expected a whole number at least 1, got 0", "pet: {lives: 0}"));
}

TEST_CASE("unknown keys name the nearest, or all, at each depth", "[fields]") {
  CHECK(problem("romms: 4") ==
        one_line("1", "romms: unknown key", "romms: 4", "did you mean rooms?"));
  CHECK(problem("meal: {gram: 4}") ==
        one_line("8", "meal.gram: unknown key", "meal: {gram: 4}", "did you mean meal.grams?"));
  CHECK(problem("meal: {zebra: 4}") ==
        one_line("8", "meal.zebra: unknown key", "meal: {zebra: 4}", "the keys are grams, warm"));
  CHECK(problem("meals: [{wram: true}]") == one_line("10", "meals.0.wram: unknown key",
                                                     "meals: [{wram: true}]",
                                                     "did you mean meals.0.warm?"));
  CHECK(problem("pet: {live: 4}") ==
        one_line("7", "pet.live: unknown key", "pet: {live: 4}", "did you mean pet.lives?"));
  CHECK(problem("pets: [{type: dog, meal: {worm: no}}]") ==
        one_line("27", "pets.0.meal.worm: unknown key", "pets: [{type: dog, meal: {worm: no}}]",
                 "did you mean pets.0.meal.warm?"));
  CHECK(problem("pet: {type: fish, lives: 4}") == one_line("19", "pet.lives: unknown key",
                                                           "pet: {type: fish, lives: 4}",
                                                           "it is an option of the pet cat, not "
                                                           "of fish"));
  CHECK(problem("meal.grams: 4") ==
        one_line("1", "meal.grams: unknown key", "meal.grams: 4",
                 "dots are for the command line; here it is meal: {grams: ...}"));
  CHECK(problem("\"a\\x1bb\": 4").starts_with("a.yaml:1:1: a\\x1bb: unknown key\n"));
}

TEST_CASE("an unknown key is looked for at every level, in what is off and in other components",
          "[fields]") {
  const auto hint = [](const std::string& line) {
    const std::string text = problem(line);
    return text.substr(text.find("^ ") + 2);
  };
  CHECK(hint("lives: 4") == "did you mean pet.lives or guest.lives (of cat)?");
  CHECK(hint("pet: fish\nlives: 4") ==
        "did you mean pet.lives (of cat, not of fish) or guest.lives (of cat)?");
  CHECK(hint("warm: true") ==
        "did you mean meal.warm, party.warm, pet.meal.warm (of dog, not of cat) or "
        "guest.meal.warm (of dog)?");
  CHECK(hint("party: {lifes: 4}") == "did you mean pet.lives or guest.lives (of cat)?");
  CHECK(hint("pet: {garden: true}") == "did you mean garden (at the top)?");
  CHECK(hint("pets: [{type: fish, lives: 4}]") == "it is an option of the pet cat, not of fish");
  CHECK(hint("pets.0.lives: 4") == "did you mean pets: [{type: cat, lives: ...}]?");
}

TEST_CASE("an unknown key is looked for by other words, which are not taken", "[fields]") {
  CHECK(problem("chambers: 4") ==
        one_line("1", "chambers: unknown key", "chambers: 4", "did you mean rooms?"));
  CHECK(problem("meal: {portion: 4}") == one_line("8", "meal.portion: unknown key",
                                                  "meal: {portion: 4}",
                                                  "did you mean meal.grams?"));
  CHECK(problem("meal.portion: 4") ==
        one_line("1", "meal.portion: unknown key", "meal.portion: 4",
                 "dots are for the command line; here it is meal: {grams: ...}"));
  CHECK(problem("pet: {name: dog}") ==
        one_line("7", "pet.name: unknown key", "pet: {name: dog}", "did you mean pet.type?"));
}

TEST_CASE("components: shorthand, own options, unknown names", "[fields]") {
  const std::string all =
      "there are cat, dog, fish; no plug-in is loaded; plugins: [FILE] or --plugin FILE adds some";
  CHECK(problem("pet: cow") == one_line("6", "pet: unknown pet \"cow\"", "pet: cow", all));
  CHECK(problem("pet: {type: dgo}") == one_line("13", "pet: unknown pet \"dgo\"",
                                                "pet: {type: dgo}",
                                                "did you mean dog? there are cat, dog, fish"));
  CHECK(problem("pet: {type: [cat]}") ==
        one_line("13", "pet.type: expected the name of a component, got a list",
                 "pet: {type: [cat]}", "one of cat, dog, fish"));
  CHECK(problem("pet: [cat]") == one_line("6", "pet: expected a component, got a list",
                                          "pet: [cat]",
                                          "one of cat, dog, fish, or {type: ..., its options}"));
  CHECK(problem("pet: 5") == one_line("6", "pet: unknown pet \"5\"", "pet: 5", all));
  CHECK(problem("guest: true") == one_line("8", "guest: unknown pet \"true\"", "guest: true", all));
  CHECK(problems_with<NeedsPet>("{}") ==
        "a.yaml: pet: needs a type\n      there are cat, dog, fish");
  CHECK(problems_with<NeedsPet>("pet: {lives: 3}") ==
        one_line("6", "pet: needs a type", "pet: {lives: 3}", "there are cat, dog, fish"));
}

TEST_CASE("a config that is no mapping", "[fields]") {
  CHECK(problem("[1]") == one_line("1", "the config: expected a mapping, got a list", "[1]",
                                   "its keys are name, rooms, rent, garden, floor, height, street, "
                                   "sizes, weights, words, meal, "
                                   "party, meals, pet, guest, pets"));
}

TEST_CASE("all problems are shown at once, by place, in at most three lines each", "[fields]") {
  CHECK(problem("pet: {type: dog, meel: {}}\nrooms: 0\ngardn: true\nmeal:\n  grams: lots\n") ==
        "a.yaml:1:18: pet.meel: unknown key\n"
        "    1 | pet: {type: dog, meel: {}}\n"
        "      |                  ^ did you mean pet.meal?\n"
        "a.yaml:2:8: rooms: expected a whole number at least 1, got 0\n"
        "    2 | rooms: 0\n"
        "      |        ^\n"
        "a.yaml:3:1: gardn: unknown key\n"
        "    3 | gardn: true\n"
        "      | ^ did you mean garden?\n"
        "a.yaml:5:10: meal.grams: expected a whole number from 1 to 1000, got \"lots\"\n"
        "    5 |   grams: lots\n"
        "      |          ^");
}

TEST_CASE("types in words", "[fields]") {
  Home home;
  std::string types;
  const Fields fields = fields_of(home);
  for (const Field& field : fields.list()) types += field.name + ": " + field.value->type() + "\n";
  CHECK(types ==
        "name: string\nrooms: integer at least 1\nrent: number from 0 to below 1\ngarden: "
        "boolean\nfloor: integer at least 0, or null\n"
        "height: number above 0, or null\nstreet: string, or null\nsizes: list of integer at least "
        "1\nweights: list of number\n"
        "words: list of small, bright\nmeal: mapping\nparty: mapping or null\nmeals: list of "
        "mapping\npet: pet\nguest: pet or null\n"
        "pets: list of pet\n");
}

TEST_CASE("the JSON Schema of fields accepts what reading accepts", "[fields]") {
  const std::string python = schema_python();
  Home home;
  Problems none;
  const Fields fields = fields_of(home);
  for (const Field& field : fields.list()) field.value->read_default(field.name, none);
  const std::vector<std::string> configs = {
      "{}",
      "{rooms: 4, rent: .5, floor: null, sizes: 3, words: [small]}",
      "{rooms: 0}",
      "{rooms: 1.5}",
      "{rent: 1}",
      "{height: 0}",
      "{garden: 1}",
      "{words: [big]}",
      "{romms: 4}",
      "{meal: {grams: 70}}",
      "{meal: {gram: 70}}",
      "{meal: 7}",
      "{party: false}",
      "{party: {grams: 70}}",
      "{party: true}",
      "{meals: [{}, {warm: false}]}",
      "{meals: {}}",
      "{pet: dog}",
      "{pet: cow}",
      "{pet: {lives: 3}}",
      "{pet: {type: cat, mood: curious}}",
      "{pet: {type: cat, mood: great}}",
      "{pet: {type: fish, lives: 3}}",
      "{pet: {type: dog, meal: {warm: false}}}",
      "{guest: null}",
      "{pets: [cat, {type: dog}]}",
      "{pets: cat}",
      "{name: [a]}"};
  nlohmann::ordered_json cases = nlohmann::ordered_json::array();
  for (const std::string& config : configs) {
    cases.push_back({{"config", config},
                     {"value", parse_yaml(config, "a.yaml").json()},
                     {"valid", problem(config).empty()}});
  }
  const TemporaryFolder folder;
  write_plain(
      folder / "cases.json",
      nlohmann::ordered_json{{"schema", schema_of_fields(fields)}, {"cases", cases}}.dump());
  write_plain(folder / "check.py",
              "import json, sys, jsonschema\n"
              "data = json.load(open(sys.argv[1]))\n"
              "validator = jsonschema.Draft202012Validator\n"
              "validator.check_schema(data['schema'])\n"
              "wrong = [c['config'] for c in data['cases'] if "
              "validator(data['schema']).is_valid(c['value']) != c['valid']]\n"
              "open(sys.argv[2], 'w').write('\\n'.join(wrong))\n");
  REQUIRE(std::system((python + " " + (folder / "check.py").string() + " " +
                       (folder / "cases.json").string() + " " + (folder / "wrong.txt").string())
                          .c_str()) == 0);
  std::ifstream in(folder / "wrong.txt");
  CHECK(std::string(std::istreambuf_iterator<char>(in), {}) == "");
}

TEST_CASE("the schema describes and gives defaults", "[fields]") {
  Meal meal;
  CHECK(schema_of_fields(fields_of(meal)).dump() ==
        R"({"type":"object","properties":{"grams":{"type":"integer",)"
        R"("minimum":1.0,"maximum":1000.0,"description":"how much",)"
        R"("default":50},"warm":{"type":"boolean",)"
        R"("description":"whether it is warmed up","default":true}},)"
        R"("additionalProperties":false})");
}
