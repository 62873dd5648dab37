package vector

// Cluster is a placeholder.
func Cluster(vs [][]float32, o *ClusterOptions) []int { return make([]int, len(vs)) }

// ClusterOptions bounds [Cluster]. Nil and zero fields mean the defaults.
type ClusterOptions struct {
	Min, Max int
}
