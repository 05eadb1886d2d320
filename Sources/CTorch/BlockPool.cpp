// Memory of freed tensors, kept for the next of the same size. A step of training takes and frees the same blocks as the
// step before; given back to the system in between, their pages would have to be cleared and mapped anew.
#include "CTorch.h"

#include <c10/core/CPUAllocator.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <vector>

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <sys/mman.h>
#include <unistd.h>

namespace kuoci {
namespace {

// Blocks in use and blocks kept are together never more than the most that was in use at once: the process never holds
// memory that it has not needed.
class BlockPool {
public:
    static BlockPool &shared() {
        static auto pool = new BlockPool();  // Tensors may be freed after static objects are.
        return *pool;
    }

    void *take(size_t bytes) {
        size_t size = (bytes + page_ - 1) / page_ * page_;
        std::lock_guard lock(mutex_);
        // The one freed last may still be in a cache.
        auto found = std::find_if(kept_.rbegin(), kept_.rend(), [=](const Block &block) { return block.size == size; });
        void *start;
        if (found != kept_.rend()) {
            start = found->start;
            kept_.erase(std::next(found).base());
            kept_bytes_ -= size;
        } else {
            shrink(most_used_bytes_ > used_bytes_ + size ? most_used_bytes_ - used_bytes_ - size : 0);
            start = map(size);
            if (start == MAP_FAILED) {
                shrink(0);
                start = map(size);
            }
            TORCH_CHECK(start != MAP_FAILED, "cannot allocate ", bytes, " bytes");
        }
        used_.emplace(start, size);
        used_bytes_ += size;
        most_used_bytes_ = std::max(most_used_bytes_, used_bytes_);
        return start;
    }

    // False for what is not a block of this pool.
    bool give_back(void *start) {
        std::lock_guard lock(mutex_);
        auto found = used_.find(start);
        if (found == used_.end()) return false;
        size_t size = found->second;
        used_.erase(found);
        used_bytes_ -= size;
        kept_.push_back({start, size});
        kept_bytes_ += size;
        return true;
    }

    void release() {
        std::lock_guard lock(mutex_);
        shrink(0);
    }

    kuoci_block_bytes bytes() {
        std::lock_guard lock(mutex_);
        return {
            static_cast<int64_t>(used_bytes_), static_cast<int64_t>(kept_bytes_), static_cast<int64_t>(most_used_bytes_)};
    }

private:
    struct Block {
        void *start;
        size_t size;
    };

    static void *map(size_t size) {
        return mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }

    // Unmaps those kept longest until at most `bytes` are.
    void shrink(size_t bytes) {
        size_t count = 0;
        for (; kept_bytes_ > bytes; count++) {
            munmap(kept_[count].start, kept_[count].size);
            kept_bytes_ -= kept_[count].size;
        }
        kept_.erase(kept_.begin(), kept_.begin() + count);
    }

    const size_t page_ = sysconf(_SC_PAGESIZE);
    std::mutex mutex_;
    std::unordered_map<void *, size_t> used_;
    std::vector<Block> kept_;  // in the order in which they were freed
    size_t used_bytes_ = 0, kept_bytes_ = 0, most_used_bytes_ = 0;
};

// Smaller blocks stay with the C library.
constexpr size_t least_pooled_bytes = 1 << 18;

class PooledAllocator final : public c10::Allocator {
public:
    c10::DataPtr allocate(size_t bytes) override {
        if (bytes < least_pooled_bytes) return plain()->allocate(bytes);
        void *start = BlockPool::shared().take(bytes);
        return {start, start, free, c10::Device(c10::DeviceType::CPU)};
    }

    c10::DeleterFnPtr raw_deleter() const override { return free; }

    void copy_data(void *to, const void *from, size_t bytes) const override { default_copy_data(to, from, bytes); }

private:
    static c10::Allocator *plain() { return c10::GetDefaultCPUAllocator(); }

    static void free(void *start) {
        if (start && !BlockPool::shared().give_back(start)) plain()->raw_deleter()(start);
    }
};

}  // namespace
}  // namespace kuoci

extern "C" {

void kuoci_pool_blocks(void) {
    static bool done = [] {
#ifdef __GLIBC__
        // The GNU C library raises the size from which on a block is mapped alone with every larger block freed, up to
        // 32 MB; smaller ones then leave holes that nothing else fills.
        mallopt(M_MMAP_THRESHOLD, kuoci::least_pooled_bytes);
#endif
        c10::SetCPUAllocator(new kuoci::PooledAllocator(), 1);
        return true;
    }();
    (void)done;
}

void kuoci_release_blocks(void) { kuoci::BlockPool::shared().release(); }

kuoci_block_bytes kuoci_pooled_bytes(void) { return kuoci::BlockPool::shared().bytes(); }

}  // extern "C"
