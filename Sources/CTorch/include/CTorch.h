#pragma once
// What Kuoci uses of libtorch, as C: opaque tensors, a status from every function that can fail, results through
// the last pointer. A status other than zero means that nothing was written and that `kuoci_last_error` says why.

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kuoci_tensor kuoci_tensor;

/// Element types; the numbers are ours.
enum {
    kuoci_float32 = 0,
    kuoci_bfloat16 = 1,
    kuoci_float16 = 2,
    kuoci_int64 = 3,
    kuoci_uint8 = 4,
};

// Devices are numbers too: of CUDA's from 0 on, and the CPU is `kuoci_cpu`.
enum { kuoci_cpu = -1 };

/// The message of the calling thread's last failure; valid until its next one.
const char *kuoci_last_error(void);

// Lifetime.

/// A tensor over memory of the caller. `release(context)` is called once, when no tensor uses the memory any more,
/// and also when this function fails.
int32_t kuoci_borrow(
    const void *bytes, int32_t element, const int64_t *shape, int32_t rank, void (*release)(void *), void *context,
    kuoci_tensor **result);
/// A tensor with a copy of `count` elements at `bytes`.
int32_t kuoci_copy_in(
    const void *bytes, int32_t element, const int64_t *shape, int32_t rank, kuoci_tensor **result);
int32_t kuoci_zeros(int32_t element, int32_t device, const int64_t *shape, int32_t rank, kuoci_tensor **result);
void kuoci_tensor_free(kuoci_tensor *tensor);

// Inspection.

int32_t kuoci_rank(const kuoci_tensor *tensor);
int64_t kuoci_size(const kuoci_tensor *tensor, int32_t dimension);
/// The element type, or -1 for one that is not ours.
int32_t kuoci_element(const kuoci_tensor *tensor);
int32_t kuoci_device(const kuoci_tensor *tensor);
/// Writes the elements, row-major, to `bytes`, which has room for `capacity` bytes.
int32_t kuoci_copy_out(const kuoci_tensor *tensor, void *bytes, int64_t capacity);

// Autograd.

/// Turns gradient recording of this thread on or off; returns what it was.
bool kuoci_set_gradients(bool enabled);
int32_t kuoci_require_gradient(kuoci_tensor *tensor, bool required);
bool kuoci_requires_gradient(const kuoci_tensor *tensor);
/// The gradient, sharing memory, or NULL where there is none.
int32_t kuoci_gradient(const kuoci_tensor *tensor, kuoci_tensor **result);
int32_t kuoci_clear_gradient(kuoci_tensor *tensor);
/// Makes a gradient of zeros where there is none.
int32_t kuoci_assure_gradient(kuoci_tensor *tensor);
/// From here on each backward pass calls `added` with a leaf's index when it has added to its gradient, from the thread
/// that waits for it; NULL ends that.
int32_t kuoci_watch_gradients(
    kuoci_tensor *const *leaves, int32_t count, void (*added)(void *context, int32_t index), void *context);
/// The elements of a tensor of this type that lie one after another in this process's memory.
int32_t kuoci_elements(kuoci_tensor *tensor, int32_t element, void **elements);
/// Where the elements of a tensor lie one after another, on whatever device.
int32_t kuoci_address(kuoci_tensor *tensor, void **address);
/// Adds `scale` times the gradient of the scalar `loss` to the leaves.
int32_t kuoci_backward(const kuoci_tensor *loss, float scale);
/// Adds to the leaves the gradient that they have by way of `output`, whose own is `gradient`, of the same shape.
int32_t kuoci_backward_from(const kuoci_tensor *output, const kuoci_tensor *gradient);
/// Adds `values`, of the leaf's shape, to its gradient; where it has none, they become it, sharing memory.
int32_t kuoci_add_gradient(kuoci_tensor *leaf, const kuoci_tensor *values);
/// The same memory, outside of autograd.
int32_t kuoci_detach(const kuoci_tensor *tensor, kuoci_tensor **result);

// Operations.

/// The tensor in another element type or on another device; with `copies` false it may share memory when both are the same.
int32_t kuoci_convert(
    const kuoci_tensor *tensor, int32_t element, int32_t device, bool copies, kuoci_tensor **result);
int32_t kuoci_assign(kuoci_tensor *tensor, const kuoci_tensor *values);
int32_t kuoci_reshape(const kuoci_tensor *tensor, const int64_t *shape, int32_t rank, kuoci_tensor **result);
int32_t kuoci_transpose(const kuoci_tensor *tensor, int32_t first, int32_t second, kuoci_tensor **result);
int32_t kuoci_narrow(
    const kuoci_tensor *tensor, int32_t dimension, int64_t start, int64_t length, kuoci_tensor **result);
/// Both, one after the other along a dimension.
int32_t kuoci_concatenate(
    const kuoci_tensor *first, const kuoci_tensor *second, int32_t dimension, kuoci_tensor **result);
/// first + scale * second.
int32_t kuoci_add(const kuoci_tensor *first, const kuoci_tensor *second, float scale, kuoci_tensor **result);
/// x [N, in] * weight [out, in] transposed, plus bias [out] unless NULL, in the type of x. Weights may be of any floating
/// type, here and below. Where x is float32 on the CPU, kernels of our own compute; else libtorch's.
int32_t kuoci_linear(
    const kuoci_tensor *x, const kuoci_tensor *weight, const kuoci_tensor *bias, kuoci_tensor **result);
/// The same with a frozen weight, plus scaling * dropped(x) * down [r, in] transposed * up [out, r] transposed.
/// Each element of x is dropped with the given probability, below 1; `seed` alone decides which.
int32_t kuoci_adapted_linear(
    const kuoci_tensor *x, const kuoci_tensor *weight, const kuoci_tensor *bias, const kuoci_tensor *down,
    const kuoci_tensor *up, double scaling, double dropout, uint64_t seed, kuoci_tensor **result);
/// Computed in float32, then converted to `element`.
int32_t kuoci_rms_norm(
    const kuoci_tensor *x, const kuoci_tensor *weight, double epsilon, int32_t element, kuoci_tensor **result);
/// silu(gate) * up.
int32_t kuoci_swiglu(const kuoci_tensor *gate, const kuoci_tensor *up, kuoci_tensor **result);
/// Cosines and sines [N, width] of rotary positions, both halves alike, for int64 positions [N].
int32_t kuoci_rotary_table(
    const kuoci_tensor *positions, int64_t width, double base, kuoci_tensor **cosines, kuoci_tensor **sines);
/// Rotates the heads of x [N, heads * width] by tables [N, width], the first half of a head against the second.
int32_t kuoci_rotate(
    const kuoci_tensor *x, const kuoci_tensor *cosines, const kuoci_tensor *sines, kuoci_tensor **result);
/// The additive mask [B, 1, T, T] of document numbers [B, T]: 0 where a token may attend, minus infinity elsewhere.
int32_t kuoci_document_mask(const kuoci_tensor *documents, int32_t element, kuoci_tensor **result);
/// Whether `kuoci_attention` of this type, where the documents lie, needs their mask.
bool kuoci_needs_document_mask(const kuoci_tensor *documents, int32_t element);
/// Attention of queries [B, T, heads * width] to keys and values [B, T, groups * width]: to the earlier tokens, of the same document
/// where int64 `documents` [B, T] or a mask says so. Either may be NULL; documents are equal numbers side by side.
int32_t kuoci_attention(
    const kuoci_tensor *queries, const kuoci_tensor *keys, const kuoci_tensor *values, const kuoci_tensor *documents,
    const kuoci_tensor *mask, int64_t width, kuoci_tensor **result);

/// Rows for int64 ids [N]: of `weight` [V, D] below `first_row`, of the leaf `rows` [V - first_row, D] from there on,
/// which alone has a gradient; NULL means that nothing is trained. The result is float32.
int32_t kuoci_embedding(
    const kuoci_tensor *ids, const kuoci_tensor *weight, const kuoci_tensor *rows, int64_t first_row,
    kuoci_tensor **result);
/// The sum of the cross-entropies of `hidden` [N, D] * `weight` [V, D] transposed at int64 targets [N]; a negative
/// target has no loss. `rows` takes the place of the last rows as in `kuoci_embedding`. Works on `chunk` tokens at a time, so
/// that no more than chunk * V logits exist. The sum is float32.
int32_t kuoci_linear_cross_entropy(
    const kuoci_tensor *hidden, const kuoci_tensor *weight, const kuoci_tensor *rows, int64_t first_row,
    const kuoci_tensor *targets, int64_t chunk, kuoci_tensor **result);

// Optimization, over parallel arrays of `count` tensors.

/// Elements of which the squares are added up at a time.
enum { kuoci_squares_part = 1 << 14 };
/// For each `kuoci_squares_part` elements of a leaf's gradient in this process's memory, from element `start` on, the sum of
/// their squares, in a fixed order.
int32_t kuoci_gradient_squares(const kuoci_tensor *leaf, int64_t start, int64_t length, double *sums);
/// The Euclidean norm of all gradients together, computed where they are.
int32_t kuoci_gradient_norm(kuoci_tensor *const *leaves, int32_t count, double *norm);
int32_t kuoci_scale_gradient(kuoci_tensor *leaf, int64_t start, int64_t length, double scale);
/// One AdamW step for `lengths` elements from `starts` on of the parameters that have a gradient; means and squares are of
/// these elements alone, `steps` float32 scalars, counted up here.
int32_t kuoci_adamw_step(
    kuoci_tensor *const *parameters, const int64_t *starts, const int64_t *lengths, kuoci_tensor *const *means,
    kuoci_tensor *const *squares, kuoci_tensor *const *steps, int32_t count, double rate, double beta1, double beta2,
    double decay, double epsilon);

/// Values of a moment in 8 bits that share one size.
enum { kuoci_quantized_block = 256 };
/// A part of a parameter with its moments: a uint8 code for each value, and for each `kuoci_quantized_block` of them, the
/// last one perhaps shorter, a float32 size. `step` is a float32 scalar.
typedef struct {
    kuoci_tensor *parameter;
    int64_t start, length;
    kuoci_tensor *mean, *mean_absmax, *square, *square_absmax, *step;
} kuoci_quantized_slot;
/// As `kuoci_adamw_step`, with moments as bitsandbytes' AdamW8bit has them: codes of its dynamic maps, signed for means and
/// unsigned for squares, nearest to the value's share of the block's largest size.
///
/// But a square that is not zero never gets the code of zero: a mean beside it would be divided by epsilon alone.
int32_t kuoci_quantized_adamw_step(
    const kuoci_quantized_slot *slots, int32_t count, double rate, double beta1, double beta2, double decay,
    double epsilon);

// The process.

int32_t kuoci_set_threads(int32_t count);
int32_t kuoci_threads(void);
/// Makes libtorch's operations compute on this thread, wherever they can, in place of our own; for tests.
void kuoci_prefer_portable(bool preferred);
bool kuoci_prefers_portable(void);
/// Whether this libtorch was built for CUDA.
bool kuoci_has_cuda(void);
/// The CUDA devices of this machine; none where libtorch was not built for them.
int32_t kuoci_cuda_devices(void);
/// Makes operations on CUDA give the same bits every time. Call it before anything is on a device.
int32_t kuoci_prepare_cuda(void);
/// Makes a CUDA device the one that other libraries use on this thread.
int32_t kuoci_use_cuda(int32_t device);
/// Bytes of pooled blocks: in use, kept, and the most that was in use at once.
typedef struct kuoci_block_bytes {
    int64_t used, kept, most_used;
} kuoci_block_bytes;
/// Makes tensors on the CPU, of 256 KB or more, take the memory of freed ones of the same size, which is kept as long as what
/// is used and kept is no more than was ever used at once.
void kuoci_pool_blocks(void);
/// Gives the memory that is kept for later tensors back to the system.
void kuoci_release_blocks(void);
kuoci_block_bytes kuoci_pooled_bytes(void);

#ifdef __cplusplus
}
#endif
