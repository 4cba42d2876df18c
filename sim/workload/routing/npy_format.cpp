#include "sim/workload/routing/npy_format.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kVersionAt = kMagic.size();
constexpr std::size_t kLengthAt = kVersionAt + 2;
constexpr std::size_t kLongestHeader = 10'000;  // max_header_size of numpy.load

/// `bytes` in hexadecimal, at most eight of them.
std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes.substr(0, 8))
    text += fmt::format("{}{:02x}", text.empty() ? "" : " ", static_cast<unsigned char>(byte));
  return text.empty() ? "nothing" : text;
}

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;)
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

/// Reads the header's text: a Python dictionary with the keys descr, fortran_order and shape.
class HeaderParser {
 public:
  HeaderParser(std::string_view content, std::size_t begin, std::size_t end,
               const std::string& name)
      : content_{content}, at_{begin}, end_{end}, name_{name} {}

  NpyArray parse() {
    expect('{');
    while (!accept('}')) {
      const std::size_t key_at = at_;
      const std::string_view key = text();
      expect(':');
      skip_spaces();
      if (key == "descr" && !has_descr_)
        has_descr_ = read_descr();
      else if (key == "fortran_order" && !has_order_)
        has_order_ = read_order();
      else if (key == "shape" && !has_shape_)
        has_shape_ = read_shape();
      else
        fail(key_at, fmt::format("expected the keys descr, fortran_order and shape, once each, got "
                                 "{:?}",
                                 key));
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_spaces();
    if (at_ != end_) fail(at_, "expected nothing after the dictionary, got " + next());
    if (!has_descr_ || !has_order_ || !has_shape_)
      fail(at_, "expected the keys descr, fortran_order and shape, not all are there");
    array_.data_begin = end_;
    return array_;
  }

 private:
  [[noreturn]] void fail(std::size_t at, const std::string& what) const {
    throw ConfigError(fmt::format("{}: byte {}: {}", name_, at, what));
  }

  [[nodiscard]] std::string next() const {
    return at_ == end_
               ? "the end of the header"
               : fmt::format("{:?}", content_.substr(at_, std::min<std::size_t>(end_ - at_, 12)));
  }

  void skip_spaces() {
    while (at_ != end_ && (content_[at_] == ' ' || content_[at_] == '\n')) ++at_;
  }

  bool accept(char c) {
    skip_spaces();
    if (at_ == end_ || content_[at_] != c) return false;
    ++at_;
    return true;
  }

  void expect(char c) {
    if (!accept(c)) fail(at_, fmt::format("expected '{}' in the header, got {}", c, next()));
  }

  /// A quoted text without escapes.
  std::string_view text() {
    skip_spaces();
    const char quote = at_ == end_ ? '\0' : content_[at_];
    if (quote != '\'' && quote != '"') fail(at_, "expected a quoted text, got " + next());
    const std::size_t close = content_.substr(0, end_).find(quote, at_ + 1);
    if (close == std::string_view::npos) fail(at_, "the quote is never closed");
    const std::string_view inside = content_.substr(at_ + 1, close - at_ - 1);
    at_ = close + 1;
    return inside;
  }

  bool read_descr() {
    const std::size_t at = at_;
    if (at_ != end_ && content_[at_] == '[')
      fail(at, "expected one integer type, got a structured one: save a plain array");
    const std::string_view descr = text();
    const auto is_one_of = [](char c, std::string_view set) {
      return set.find(c) != std::string_view::npos;
    };
    if (descr.size() == 3 && is_one_of(descr[1], "iu") && is_one_of(descr[2], "1248") &&
        is_one_of(descr[0], descr[2] == '1' ? "|<>" : "<>")) {
      array_.is_big_endian = descr[0] == '>';
      array_.is_signed = descr[1] == 'i';
      array_.value_bytes = descr[2] - '0';
      return true;
    }
    const bool is_float = descr.size() >= 2 && (descr[1] == 'f' || descr[1] == 'c');
    fail(at, fmt::format("expected an integer type like '<i2', got {:?}{}: save it with "
                         "astype(numpy.int16)",
                         descr, is_float ? ", a floating-point type" : ""));
  }

  bool read_order() {
    const std::string_view rest = content_.substr(at_, end_ - at_);
    if (rest.starts_with("True"))
      fail(at_, "expected C order, got Fortran order: save it with numpy.ascontiguousarray(...)");
    if (!rest.starts_with("False")) fail(at_, "expected True or False, got " + next());
    at_ += 5;
    return true;
  }

  bool read_shape() {
    expect('(');
    while (!accept(')')) {
      array_.shape.push_back(length());
      if (!accept(',')) {
        // (3) is no tuple in Python, but a number.
        if (array_.shape.size() == 1) fail(at_, "expected ',' after the only length");
        expect(')');
        break;
      }
    }
    return true;
  }

  std::int64_t length() {
    skip_spaces();
    const char* const begin = content_.data() + at_;
    std::int64_t value = 0;
    const auto [after, error] = std::from_chars(begin, content_.data() + end_, value);
    if (error != std::errc{} || value < 0)
      fail(at_, "expected a length from 0 to 2^63 - 1, got " + next());
    at_ += static_cast<std::size_t>(after - begin);
    return value;
  }

  std::string_view content_;
  std::size_t at_;
  std::size_t end_;
  const std::string& name_;
  NpyArray array_;
  bool has_descr_ = false;
  bool has_order_ = false;
  bool has_shape_ = false;
};

}  // namespace

NpyArray parse_npy_header(std::string_view content, const std::string& name) {
  const auto fail = [&](std::size_t at, const std::string& what) {
    throw ConfigError(fmt::format("{}: byte {}: {}", name, at, what));
  };
  if (!content.starts_with(kMagic))
    fail(0, fmt::format("expected {}, with which every .npy file begins, got {}: write it with "
                        "numpy.save (not savez or pickle)",
                        hex(kMagic), hex(content.substr(0, kMagic.size()))));
  if (content.size() < kLengthAt) fail(content.size(), "the file ends within its header");
  const auto major = static_cast<unsigned char>(content[kVersionAt]);
  const auto minor = static_cast<unsigned char>(content[kVersionAt + 1]);
  if (major < 1 || major > 3 || minor != 0)
    fail(kVersionAt, fmt::format("expected format 1.0, 2.0 or 3.0, got {}.{}", major, minor));
  const std::size_t begin = kLengthAt + (major == 1 ? 2 : 4);
  if (content.size() < begin) fail(content.size(), "the file ends within its header");
  const std::uint64_t length = little_endian(content.substr(kLengthAt, begin - kLengthAt));
  if (length > kLongestHeader)
    fail(kLengthAt,
         fmt::format("expected a header of at most {} bytes, got {}", kLongestHeader, length));
  if (length > content.size() - begin)
    fail(content.size(),
         fmt::format("the file ends within its header, which has {} bytes from byte {} on: it is "
                     "truncated, copy it again",
                     length, begin));
  return HeaderParser{content, begin, begin + length, name}.parse();
}

NpyValue npy_value(const NpyArray& array, std::string_view content, std::size_t index) {
  const auto size = static_cast<std::size_t>(array.value_bytes);
  const std::size_t at = array.data_begin + index * size;
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t byte = array.is_big_endian ? i : size - 1 - i;
    bits = bits << 8 | static_cast<unsigned char>(content[at + byte]);
  }
  const NpyValue modulus = NpyValue{1} << (8 * array.value_bytes);
  const auto value = static_cast<NpyValue>(bits);
  return array.is_signed && value >= modulus / 2 ? value - modulus : value;
}

std::string npy_shape_text(std::span<const std::int64_t> shape) {
  return fmt::format("({}{})", fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
}

std::string npy_header(std::string_view descr, std::span<const std::int64_t> shape) {
  constexpr std::size_t kAlignment = 64;
  std::string dictionary = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}",
                                       descr, npy_shape_text(shape));
  const std::size_t begin = kLengthAt + 2;
  const std::size_t unpadded = begin + dictionary.size() + 1;  // with the line end
  dictionary.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  dictionary += '\n';
  std::string header{kMagic};
  header += {'\x01', '\x00'};
  header += static_cast<char>(dictionary.size() & 0xFFU);
  header += static_cast<char>(dictionary.size() >> 8);
  return header + dictionary;
}

}  // namespace switchyard
