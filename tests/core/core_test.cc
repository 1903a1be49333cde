#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "payops/core/codec.h"
#include "payops/core/digest.h"
#include "payops/core/json_text.h"
#include "payops/core/random.h"
#include "payops/core/text.h"
#include "payops/core/yaml_fields.h"

namespace payops {
enum class Colour : uint8_t { red, green };
template <>
inline constexpr EnumNames<2> enum_names<Colour>{"red", "green"};

namespace {

struct Inner {
  std::string name;
  double weight = 1.5;
  bool operator==(const Inner&) const = default;
  static constexpr auto fields() {
    return std::make_tuple(field("name", &Inner::name), field("weight", &Inner::weight));
  }
};

struct Outer {
  int64_t count = -3;
  Colour colour = Colour::red;
  std::vector<Inner> inners;
  std::map<std::string, double> shares;
  std::optional<bool> maybe;
  static constexpr auto fields() {
    return std::make_tuple(field("count", &Outer::count), field("colour", &Outer::colour),
                           field("inners", &Outer::inners), field("shares", &Outer::shares),
                           field("maybe", &Outer::maybe));
  }
};

const Outer kSample{.count = INT64_MIN,
                    .colour = Colour::green,
                    .inners = {{"a", 0.1}, {"b", -1e300}},
                    .shares = {{"x", 1.0 / 3.0}},
                    .maybe = true};

TEST_CASE("a struct reads back from its bytes, and every cut or longer text is refused") {
  const std::string bytes = encode(kSample);
  REQUIRE(decode<Outer>(bytes));
  CHECK(same_fields(*decode<Outer>(bytes), kSample));
  for (std::size_t n = 0; n < bytes.size(); ++n) CHECK_FALSE(decode<Outer>(bytes.substr(0, n)));
  CHECK_FALSE(decode<Outer>(bytes + "x"));
}

TEST_CASE("a struct reads back from its JSON with doubles intact") {
  const std::string text = dump(to_json(kSample));
  std::string straight;
  append_json(straight, kSample);
  CHECK(straight == text);
  const auto back = from_json<Outer>(Json::parse(text));
  REQUIRE(back);
  CHECK(same_fields(*back, kSample));
  const auto wrong = from_json<Outer>(Json::parse(R"({"inners":[{"weight":"heavy"}]})"));
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().message == "$.inners[].weight: expected a number, found string");
}

TEST_CASE("configuration errors name file, line, key and the nearest valid key") {
  const auto message = [](const char* yaml) {
    const auto read = read_yaml<Outer>(yaml, "f.yaml");
    return read ? std::string("read") : read.error().message;
  };
  CHECK(message("count: 4\ncolour: green\n") == "read");
  CHECK(message("count: 4\ncolor: green\n") ==
        "f.yaml:2: unknown key \"color\" (did you mean \"colour\"?)");
  CHECK(message("colour: gren\n") ==
        "f.yaml:1: \"colour\" cannot be \"gren\"; one of: red, green (did you mean \"green\"?)");
  CHECK(message("inners:\n  - name: x\n    weight: heavy\n") ==
        "f.yaml:3: \"inners[].weight\" must be a number, not \"heavy\"");
  CHECK(message("count: 1\ncount: 2\n") == "f.yaml:2: \"count\" is given twice");
  CHECK(message("a: [\n").substr(0, 7) == "f.yaml:");
}

TEST_CASE("random draws depend on seed and key alone and have the moments of their laws") {
  const Random random(7);
  CHECK(random.at(1, 2).next() == random.at(1, 2).next());
  CHECK(random.at(1, 2).next() != random.at(2, 1).next());
  CHECK(random.at(1).next() != Random(8).at(1).next());
  auto stream = random.at(3);
  const int n = 200'000;
  double normal = 0, square = 0, exponential = 0, poisson = 0, gamma = 0, beta = 0;
  for (int i = 0; i < n; ++i) {
    const double x = stream.normal();
    normal += x;
    square += x * x;
    exponential += stream.exponential();
    poisson += static_cast<double>(stream.poisson(47.0));
    gamma += stream.gamma(0.6);
    beta += stream.beta(2, 6);
  }
  CHECK(std::abs(normal / n) < 0.01);
  CHECK(std::abs(square / n - 1) < 0.02);
  CHECK(std::abs(exponential / n - 1) < 0.02);
  CHECK(std::abs(poisson / n - 47) < 0.1);
  CHECK(std::abs(gamma / n - 0.6) < 0.02);
  CHECK(std::abs(beta / n - 0.25) < 0.01);
}

TEST_CASE("digests match published vectors, times print as UTC") {
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(iso_time(1772366405250) == "2026-03-01T12:00:05.250Z");
  CHECK(compact_date(1772366405250) == "20260301");
  CHECK(*from_hex(to_hex("\x01\xff")) == "\x01\xff");
  CHECK_FALSE(from_hex("abc"));
  CHECK(fixed(-0.125, 2) == "-0.12");
}

}  // namespace
}  // namespace payops
