#include "sim/workload/routing/npy_format.hpp"

#include <gmock/gmock.h>

#include "sim/core/error.hpp"

namespace switchyard {
namespace {

using testing::ElementsAre;

/// A file of format 1.0 with `header` as it is, and no values.
std::string with_header(const std::string& header) {
  std::string text = "\x93NUMPY";
  text += {'\x01', '\x00', static_cast<char>(header.size() & 0xFFU),
           static_cast<char>(header.size() >> 8)};
  return text + header;
}

std::string error_of(const std::string& content) {
  try {
    (void)parse_npy_header(content, "t.npy");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

std::string error_of_header(const std::string& header) { return error_of(with_header(header)); }

TEST(NpyHeader, IsReadAsNumpyWritesIt) {
  const NpyArray array = parse_npy_header(
      with_header("{'descr': '<i2', 'fortran_order': False, 'shape': (3, 2), }   \n"), "t.npy");
  EXPECT_EQ(array.value_bytes, 2);
  EXPECT_TRUE(array.is_signed);
  EXPECT_FALSE(array.is_big_endian);
  EXPECT_THAT(array.shape, ElementsAre(3, 2));
  // 6 + 2 + 2 bytes before the dictionary; its 59 characters, 3 spaces and a line end.
  EXPECT_EQ(array.data_begin, 10U + 59 + 3 + 1);
}

TEST(NpyHeader, MayHaveItsKeysInAnyOrderAndNoLastComma) {
  const NpyArray array = parse_npy_header(
      with_header(R"({"shape":(5,),"fortran_order":False,"descr":"|u1"})"), "t.npy");
  EXPECT_EQ(array.value_bytes, 1);
  EXPECT_FALSE(array.is_signed);
  EXPECT_THAT(array.shape, ElementsAre(5));
}

TEST(NpyHeader, OfFormat2And3HasALengthOfFourBytes) {
  for (const char version : {'\x02', '\x03'}) {
    const std::string header = "{'descr': '>u8', 'fortran_order': False, 'shape': (), }";
    std::string text = "\x93NUMPY";
    text += {version, '\0', static_cast<char>(header.size()), '\0', '\0', '\0'};
    const NpyArray array = parse_npy_header(text + header, "t.npy");
    EXPECT_TRUE(array.is_big_endian);
    EXPECT_EQ(array.value_bytes, 8);
    EXPECT_TRUE(array.shape.empty());
    EXPECT_EQ(array.data_begin, 12 + header.size());
  }
}

TEST(NpyHeader, IsWrittenSoThatValuesBeginAtAMultipleOf64) {
  for (const std::int64_t tokens : {1, 10, 1'000, 1'000'000, 2'000'000'000}) {
    const std::vector<std::int64_t> shape{tokens, 32, 2};
    const std::string header = npy_header("<i4", shape);
    EXPECT_EQ(header.size() % 64, 0U);
    EXPECT_EQ(header.back(), '\n');
    const NpyArray array = parse_npy_header(header, "t.npy");
    EXPECT_EQ(array.shape, shape);
    EXPECT_EQ(array.data_begin, header.size());
  }
}

// 0x01 0xFE: little-endian 0xFE01 = 65025, signed 65025 - 65536 = -511; big-endian 0x01FE = 510.
TEST(NpyValue, HasTheByteOrderAndSignOfItsType) {
  const std::string bytes{"\x01\xFE", 2};
  EXPECT_EQ(npy_value({.value_bytes = 2, .shape = {}}, bytes, 0), -511);
  EXPECT_EQ(npy_value({.value_bytes = 2, .is_signed = false, .shape = {}}, bytes, 0), 65025);
  EXPECT_EQ(npy_value({.value_bytes = 2, .is_big_endian = true, .shape = {}}, bytes, 0), 510);
  EXPECT_EQ(npy_value({.value_bytes = 1, .shape = {}}, bytes, 1), -2);
}

TEST(NpyValue, HoldsTheLargestOfEightBytes) {
  const std::string bytes(8, '\xFF');
  EXPECT_EQ(npy_value({.value_bytes = 8, .shape = {}}, bytes, 0), -1);
  EXPECT_EQ(npy_value({.value_bytes = 8, .is_signed = false, .shape = {}}, bytes, 0),
            (NpyValue{1} << 64) - 1);
}

TEST(NpyHeader, RefusesWhatIsNoNpyFile) {
  EXPECT_EQ(error_of(""),
            "t.npy: byte 0: expected 93 4e 55 4d 50 59, with which every .npy file begins, got "
            "nothing: write it with numpy.save (not savez or pickle)");
  EXPECT_THAT(error_of("PK\x03\x04----"), testing::HasSubstr("got 50 4b 03 04 2d 2d: write it"));
}

TEST(NpyHeader, RefusesOtherVersions) {
  std::string text = with_header("{}");
  text[6] = '\x04';
  EXPECT_EQ(error_of(text), "t.npy: byte 6: expected format 1.0, 2.0 or 3.0, got 4.0");
  text[6] = '\x01';
  text[7] = '\x02';
  EXPECT_EQ(error_of(text), "t.npy: byte 6: expected format 1.0, 2.0 or 3.0, got 1.2");
}

TEST(NpyHeader, RefusesAFileThatEndsWithin) {
  const std::string text = with_header("{'descr': '<i2', ");
  EXPECT_EQ(error_of(text.substr(0, 7)), "t.npy: byte 7: the file ends within its header");
  EXPECT_EQ(error_of(text.substr(0, 9)), "t.npy: byte 9: the file ends within its header");
  EXPECT_EQ(error_of(text.substr(0, 15)),
            "t.npy: byte 15: the file ends within its header, which has 17 bytes from byte 10 on: "
            "it is truncated, copy it again");
}

TEST(NpyHeader, RefusesMoreThanNumpyLoads) {
  EXPECT_EQ(error_of_header(std::string(10'001, ' ')),
            "t.npy: byte 8: expected a header of at most 10000 bytes, got 10001");
}

TEST(NpyHeader, RefusesTypesThatAreNoIntegers) {
  EXPECT_EQ(error_of_header("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }"),
            "t.npy: byte 20: expected an integer type like '<i2', got \"<f4\", a floating-point "
            "type: save it with astype(numpy.int16)");
  for (const std::string descr : {"|b1", "|O", "<i3", "=i2", "|i2", "<i16", "", "<U8"})
    EXPECT_THAT(error_of_header("{'descr': '" + descr + "', "),
                testing::HasSubstr("byte 20: expected an integer type like '<i2', got \"" + descr))
        << descr;
  EXPECT_EQ(error_of_header("{'descr': [('a', '<i4')], "),
            "t.npy: byte 20: expected one integer type, got a structured one: save a plain array");
}

TEST(NpyHeader, RefusesFortranOrder) {
  EXPECT_EQ(error_of_header("{'fortran_order': True, "),
            "t.npy: byte 28: expected C order, got Fortran order: save it with "
            "numpy.ascontiguousarray(...)");
  EXPECT_EQ(error_of_header("{'fortran_order': 0, "),
            "t.npy: byte 28: expected True or False, got \"0, \"");
}

TEST(NpyHeader, RefusesOtherKeysAndKeysTwice) {
  EXPECT_EQ(error_of_header("{'a': 1}"),
            "t.npy: byte 11: expected the keys descr, fortran_order and shape, once each, got "
            "\"a\"");
  EXPECT_EQ(error_of_header("{'descr': '<i2', 'descr': '<i2'}"),
            "t.npy: byte 27: expected the keys descr, fortran_order and shape, once each, got "
            "\"descr\"");
  EXPECT_EQ(error_of_header("{'descr': '<i2', 'shape': (1, 1)}"),
            "t.npy: byte 43: expected the keys descr, fortran_order and shape, not all are there");
}

TEST(NpyHeader, RefusesShapesThatAreNoLengths) {
  EXPECT_EQ(error_of_header("{'shape': (-1, 2)}"),
            "t.npy: byte 21: expected a length from 0 to 2^63 - 1, got \"-1, 2)}\"");
  // 2^63.
  EXPECT_THAT(error_of_header("{'shape': (9223372036854775808, 2)}"),
              testing::HasSubstr("byte 21: expected a length"));
  EXPECT_EQ(error_of_header("{'shape': (3)}"),
            "t.npy: byte 22: expected ',' after the only length");
  EXPECT_EQ(error_of_header("{'shape': (3, 2"),
            "t.npy: byte 25: expected ')' in the header, got the end of the header");
}

TEST(NpyHeader, RefusesWhatFollowsTheDictionary) {
  EXPECT_EQ(error_of_header("{'descr': '<i2', 'fortran_order': False, 'shape': (3, 2), } +"),
            "t.npy: byte 70: expected nothing after the dictionary, got \"+\"");
  EXPECT_EQ(error_of_header("{'descr"), "t.npy: byte 11: the quote is never closed");
  EXPECT_EQ(error_of_header("[1]"), "t.npy: byte 10: expected '{' in the header, got \"[1]\"");
}

}  // namespace
}  // namespace switchyard
