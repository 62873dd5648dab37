package ragas

// shares splits n into k parts that differ by one at most; the larger ones come
// first, counted from the part first.
func shares(n, k, first int) []int {
	out := make([]int, k)
	for i := range out {
		out[i] = n / k
	}
	for i := range n % k {
		out[(first+i)%k]++
	}
	return out
}

// assign gives each of n items one of the options, each option as often as its
// quota says, so that as many items as possible get one that fits. The quotas
// must add up to n at least. Where items can choose, the option after the one of
// the item before is taken, so that neighbours differ.
func assign(n int, quota []int, fits func(item, option int) bool) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = -1
	}
	used := make([][]int, len(quota)) // items of each option
	var tried []bool
	var place func(item, first int) bool
	place = func(item, first int) bool {
		for k := range quota {
			o := (first + k) % len(quota)
			if tried[o] || !fits(item, o) {
				continue
			}
			tried[o] = true
			if len(used[o]) < quota[o] {
				used[o] = append(used[o], item)
				out[item] = o
				return true
			}
			for at, other := range used[o] {
				if place(other, o+1) {
					used[o][at] = item
					out[item] = o
					return true
				}
			}
		}
		return false
	}
	last := 0
	for i := range n {
		tried = make([]bool, len(quota))
		if place(i, last+1) {
			last = out[i]
		}
	}
	for i := range out { // what fits nowhere takes what is left
		for o := range quota {
			if out[i] < 0 && len(used[o]) < quota[o] {
				used[o] = append(used[o], i)
				out[i] = o
			}
		}
	}
	return out
}
