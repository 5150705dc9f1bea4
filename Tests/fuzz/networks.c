/* SPDX-License-Identifier: Apache-2.0 */
/* Network files: one that is right, with some of its header changed by its structure, opened and run. */
#include <stdio.h>

#include "fuzz.h"

enum { MOST_CHANGES = 4, SPARE = 512, MOST_NUMBERS = 1 << 16, MOST_OUTPUTS = 16 };

/* ---- A file that is right ---- */

#define LAYER(input, output)                                                           \
  "equiconv-layer/1 group=cyclic(4) input=" input " output=" output                    \
  " stride=[1,1] padding=[same,same] dilation=[1,1] padding_mode=zeros algorithm=auto" \
  " interpolation=bilinear basis=none group_basis=full quadrature=no channel_groups=1"

static const char document[] =
    "{\"format\": \"equiconv-network/1\", \"name\": \"fuzz\", \"dtype\": \"float32\","
    "\"groups\": {\"C4\": {\"text\": \"equiconv-group/1 cyclic(4)\","
    "\"matrices\": [[1, 0, 0, 1], [0, -1, 1, 0], [-1, 0, 0, -1], [0, 1, -1, 0]]}},"
    "\"input\": {\"name\": \"x\", \"dimension\": 2, \"space\": \"plane\", \"channels\": 2, \"extents\": [null, 6],"
    "\"normalization\": {\"scale\": 0.5, \"mean\": [0.25, 0], \"deviation\": [1, 2]}},"
    "\"operations\": ["
    "{\"kind\": \"convolution\", \"name\": \"a\", \"inputs\": [\"x\"], \"output\": \"v0\", \"layer\": \"" LAYER(
        "plane",
        "group") "\", \"weight\": \"a.w\", \"bias\": \"a.b\"},"
                 "{\"kind\": \"batch_norm\", \"name\": \"b\", \"inputs\": [\"v0\"], \"output\": \"v1\", \"mean\": "
                 "\"a.b\","
                 "\"variance\": \"b.v\", \"weight\": \"a.b\", \"bias\": \"a.b\", \"epsilon\": 1e-5},"
                 "{\"kind\": \"pointwise\", \"name\": \"c\", \"inputs\": [\"v1\"], \"output\": \"v2\", \"function\": "
                 "\"elu\","
                 "\"alpha\": 1.5},"
                 "{\"kind\": \"convolution\", \"name\": \"d\", \"inputs\": [\"v2\"], \"output\": \"v3\", \"layer\": "
                 "\"" LAYER(
                     "group",
                     "group") "\", \"weight\": \"d.w\"},"
                              "{\"kind\": \"add\", \"name\": \"e\", \"inputs\": [\"v3\", \"v2\"], \"output\": \"v4\"},"
                              "{\"kind\": \"concatenate\", \"name\": \"f\", \"inputs\": [\"v4\", \"v3\"], \"output\": "
                              "\"v5\"},"
                              "{\"kind\": \"spatial_max_pool\", \"name\": \"g\", \"inputs\": [\"v5\"], \"output\": "
                              "\"v6\","
                              "\"kernel\": [2, 2], \"stride\": [2, 2], \"padding\": [0, 0]},"
                              "{\"kind\": \"restrict\", \"name\": \"h\", \"inputs\": [\"v6\"], \"output\": \"v7\", "
                              "\"subgroup\": [0, 2]},"
                              "{\"kind\": \"upsample\", \"name\": \"i\", \"inputs\": [\"v6\"], \"output\": \"v8\", "
                              "\"mode\": \"linear\","
                              "\"factors\": [2, 2], \"align_corners\": true},"
                              "{\"kind\": \"group_pool\", \"name\": \"j\", \"inputs\": [\"v8\"], \"output\": \"v9\", "
                              "\"mode\": \"max\"},"
                              "{\"kind\": \"softmax\", \"name\": \"k\", \"inputs\": [\"v9\"], \"output\": \"v10\"},"
                              "{\"kind\": \"spatial_mean\", \"name\": \"l\", \"inputs\": [\"v10\"], \"output\": "
                              "\"v11\"},"
                              "{\"kind\": \"linear\", \"name\": \"m\", \"inputs\": [\"v11\"], \"output\": \"v12\", "
                              "\"weight\": \"m.w\"}],"
                              "\"outputs\": [{\"name\": \"s\", \"value\": \"v12\", \"classes\": [\"p\", \"q\", \"r\"]},"
                              "{\"name\": \"t\", \"value\": \"v7\"}]}";

static const equiconv_tensor tensors[] = {
    {"a.b", "F32", 1, {3}, NULL, 12},    {"a.w", "F32", 4, {3, 2, 3, 3}, NULL, 216},
    {"b.v", "F32", 1, {3}, NULL, 12},    {"d.w", "F32", 5, {3, 3, 4, 3, 3}, NULL, 1296},
    {"m.w", "F32", 2, {3, 6}, NULL, 72}, {"unused", "I64", 0, {0}, NULL, 8}};
enum { TENSORS = sizeof tensors / sizeof *tensors, NUMBERS = 1616 };

/** The network of the document, by whose existence the document is right. */
static equiconv_network *right_network(void) {
  static float numbers[NUMBERS / sizeof(float)];
  equiconv_tensor filled[TENSORS];
  equiconv_network *network = NULL;
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) numbers[i] = (float)(i * i % 11) / 7 + 0.25f;
  memcpy(filled, tensors, sizeof filled);
  const unsigned char *data = (const unsigned char *)numbers;
  for (int i = 0; i < TENSORS; data += filled[i].length, i++) filled[i].data = data;
  LAW(equiconv_network_create(document, sizeof document - 1, filled, TENSORS, NULL, &network) == EQUICONV_SUCCESS);
  return network;
}

/* ---- Its bytes: the header as this file writes it, and the numbers ---- */

/** A piece of a text: where it begins and ends. */
typedef struct piece {
  size_t begin, end;
} piece;

/** A string, a number or a word of JSON that begins at `place` or behind it. */
static piece token(const char *text, size_t length, size_t place) {
  while (place < length && strchr(" ,:[]{}", text[place]) != NULL) place++;
  size_t end = place;
  if (place < length && text[place] == '"') {
    for (end++; end < length && text[end] != '"'; end++) end += text[end] == '\\';
    end += end < length;
  } else {
    while (end < length && strchr(" ,:[]{}", text[end]) == NULL) end++;
  }
  return (piece){place, end < length ? end : length};
}

/** The text with one piece replaced; its new length, or the old one where there is no room. */
static size_t replace(char *text, size_t length, size_t room, piece p, const char *with, size_t count) {
  if (length - (p.end - p.begin) + count > room) return length;
  memmove(text + p.begin + count, text + p.end, length - p.end);
  if (count > 0) memcpy(text + p.begin, with, count);
  return length - (p.end - p.begin) + count;
}

/** A number as text: small, or one that sizes must withstand. */
static size_t number_text(char *text, size_t room) {
  return (size_t)(seldom(2) ? snprintf(text, room, "%lld", (long long)wild())
                            : snprintf(text, room, "%lld", (long long)between(0, 12)));
}

/** Another token in the place of one: of the same text, a number, or a word that means something. */
static size_t change_token(char *text, size_t length, size_t room) {
  static const char *const words[] = {"null",
                                      "true",
                                      "[]",
                                      "{}",
                                      "\"\"",
                                      "1.5",
                                      "1e400",
                                      "-0",
                                      "\"group\"",
                                      "\"plane\"",
                                      "\"quotient([0,2])\"",
                                      "\"flatten\"",
                                      "\"induce\"",
                                      "\"transposed_convolution\"",
                                      "\"spatial_mean_pool\"",
                                      "\"F64\"",
                                      "\"BF16\"",
                                      "\"\\ud800\"",
                                      "\"float64\"",
                                      "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"};
  char other[256];
  const piece p = token(text, length, (size_t)between(0, (int64_t)length - 1));
  switch (between(0, 2)) {
  case 0: return replace(text, length, room, p, other, number_text(other, sizeof other));
  case 1: {
    const char *word = words[between(0, sizeof words / sizeof *words - 1)];
    return replace(text, length, room, p, word, strlen(word));
  }
  default: {
    const piece q = token(text, length, (size_t)between(0, (int64_t)length - 1));
    const size_t count = q.end - q.begin < sizeof other ? q.end - q.begin : sizeof other;
    memcpy(other, text + q.begin, count);
    return replace(text, length, room, p, other, count);
  }
  }
}

/** A byte changed, added or taken away; or all that follows it. */
static size_t change_byte(char *text, size_t length, size_t room) {
  static const char letters[] = "0123456789-+.,:()[]{}=/ \"\\eu\n\xff\xc3";
  const size_t place = (size_t)between(0, (int64_t)length - 1);
  const char letter = letters[between(0, sizeof letters - 1)];
  switch (between(0, 3)) {
  case 0: text[place] = letter; return length;
  case 1: return replace(text, length, room, (piece){place, place}, &letter, 1);
  case 2: return replace(text, length, room, (piece){place, place + 1}, NULL, 0);
  default: return seldom(8) ? place : length;
  }
}

/** The document with some changes; its length. */
static size_t change(char *text, size_t length, size_t room) {
  for (int64_t changes = between(0, MOST_CHANGES); changes > 0 && length > 0; changes--) {
    length = seldom(3) ? change_byte(text, length, room) : change_token(text, length, room);
  }
  return length;
}

/** Writes the document as a string of JSON; its length. */
static size_t quoted(char *target, const char *text, size_t length) {
  size_t written = 0;
  target[written++] = '"';
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '"' || text[i] == '\\') target[written++] = '\\';
    target[written++] = text[i] == '\n' ? ' ' : text[i];
  }
  target[written++] = '"';
  return written;
}

/** A file of a document that may be anything, and of tensors whose entries may be wrong; its length. */
static size_t write_file(char *file, size_t room, const char *text, size_t length) {
  size_t end = 8 + (size_t)snprintf(file + 8, room, "{\"__metadata__\": {\"equiconv-network\": ");
  end += quoted(file + end, text, length);
  end += (size_t)snprintf(file + end, room - end, "}");
  size_t begin = 0;
  for (int i = 0; i < TENSORS; i++) {
    const equiconv_tensor *t = &tensors[i];
    end += (size_t)snprintf(file + end, room - end, ", \"%s\": {\"dtype\": \"%s\", \"shape\": [", t->name, t->type);
    for (int axis = 0; axis < t->rank; axis++) {
      end += (size_t)snprintf(file + end, room - end, axis == 0 ? "%lld" : ", %lld",
                              (long long)(seldom(64) ? wild() : t->shape[axis]));
    }
    const long long from = (long long)(seldom(64) ? (uint64_t)wild() : begin);
    const long long to = (long long)(seldom(64) ? (uint64_t)wild() : begin + t->length);
    end += (size_t)snprintf(file + end, room - end, "], \"data_offsets\": [%lld, %lld]}", from, to);
    begin += t->length;
  }
  end += (size_t)snprintf(file + end, room - end, "}");
  if (seldom(8)) end = 8 + change(file + 8, end - 8, room - 8 - NUMBERS);
  const uint64_t header = seldom(64) ? (uint64_t)wild() : end - 8;
  memcpy(file, &header, 8);
  for (size_t i = 0; i < NUMBERS; i++) file[end + i] = (char)(i % 4 == 3 ? 62 : i * 37); /* floats about 0.1 */
  end += NUMBERS;
  return seldom(64) ? (size_t)between(0, (int64_t)end - 1) : end;
}

/* ---- What is asked of it ---- */

static void ask_network(const equiconv_network *network) {
  size_t length = 0, again = 0;
  LAW(equiconv_network_describe(network, 0, NULL, &length) == EQUICONV_SUCCESS);
  array text = array_make(length + 1, 1);
  LAW(equiconv_network_describe(network, length + 1, text.numbers, &again) == EQUICONV_SUCCESS);
  LAW(again == length && strlen(text.numbers) == length);
  array_end(&text);
  for (int64_t i = 0; i < equiconv_network_tensor_count(network); i++) {
    equiconv_tensor tensor;
    LAW(equiconv_network_get_tensor(network, i, &tensor) == EQUICONV_SUCCESS);
    const unsigned char *data = tensor.data;
    volatile unsigned sum = 0;
    for (size_t byte = 0; byte < tensor.length; byte++) sum += data[byte];
  }
}

/** The number of elements of a shape, or 0 if there are too many to run. */
static size_t count_of(const equiconv_shape *shape) {
  size_t count = 1;
  for (int32_t axis = 0; axis < shape->rank; axis++) {
    const int64_t size = shape->sizes[axis];
    if (size <= 0 || size > MOST_NUMBERS || count * (size_t)size > MOST_NUMBERS) return 0;
    count *= (size_t)size;
  }
  return count;
}

/** Runs it on an input that it reads, with outputs between pages without access. */
static void run_network(const equiconv_network *network) {
  equiconv_shape input, shape;
  equiconv_dtype dtype;
  LAW(equiconv_network_get_input_shape(network, &input) == EQUICONV_SUCCESS);
  LAW(equiconv_network_get_dtype(network, &dtype) == EQUICONV_SUCCESS);
  for (int32_t axis = 0; axis < input.rank; axis++) {
    if (input.sizes[axis] == 0) input.sizes[axis] = axis == 0 ? between(1, 3) : size_between(4, 7);
  }
  const int32_t count = equiconv_network_output_count(network);
  LAW(count >= 1 && count <= MOST_OUTPUTS);
  array arrays[MOST_OUTPUTS];
  void *places[MOST_OUTPUTS];
  int32_t made = 0;
  for (; made < count; made++) {
    const equiconv_status status = CALL(equiconv_network_get_output_shape, network, made, &input, &shape);
    const size_t numbers = status == EQUICONV_SUCCESS ? count_of(&shape) : 0;
    if (numbers == 0) break;
    arrays[made] = array_make(numbers * dtype_bytes((int32_t)dtype), dtype_bytes((int32_t)dtype));
    places[made] = arrays[made].numbers;
  }
  const size_t numbers = count_of(&input);
  if (made == count && numbers > 0) {
    array x = array_of_numbers((int32_t)dtype, (int64_t)numbers, seldom(4));
    (void)CALL(equiconv_network_run, network, dtype, &input, x.numbers, places, count);
    array_end(&x);
  }
  while (made > 0) array_end(&arrays[--made]);
}

void network_ask(void) {
  enum { ROOM = sizeof document + SPARE, FILE_ROOM = 2 * ROOM + 4096 + NUMBERS };
  static char text[ROOM], file[FILE_ROOM];
  if (seldom(32)) {
    equiconv_network *right = right_network();
    ask_network(right);
    run_network(right);
    equiconv_network_close(right);
  }
  memcpy(text, document, sizeof document);
  const size_t length = change(text, sizeof document - 1, ROOM);
  const size_t bytes = write_file(file, FILE_ROOM, text, length);
  array given = array_make(bytes, 1);
  memcpy(given.numbers, file, bytes);
  array_protect(&given);
  equiconv_network_options options = EQUICONV_NETWORK_OPTIONS_INIT;
  options.mode = (equiconv_network_mode)kind_between(0, 1);
  equiconv_network *network = NULL;
  const equiconv_status status = CALL(equiconv_network_open_memory, given.numbers, bytes, &options, &network);
  LAW((status == EQUICONV_SUCCESS) == (network != NULL));
  array_end(&given);
  if (network != NULL) {
    ask_network(network);
    run_network(network);
  }
  equiconv_network_close(network);
}
