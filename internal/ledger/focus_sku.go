package ledger

import "github.com/dogker/dogker/reconciler/money"

// service is what a row is about. A service has one category and one subcategory.
type service struct{ category, subcategory, name string }

var (
	containers = service{"Compute", "Containers", "Containers"}
	volumes    = service{"Storage", "File Storage", "Volumes"}
	network    = service{"Networking", "Network Connectivity", "Network"}
	prepaid    = service{"Other", "Other (Other)", "Prepaid Balance"}
)

// skus are what is sold, by meter: the service, what is metered in words, and the unit as FOCUS writes units.
var skus = map[money.Meter]struct {
	service

	meter, unit string
}{
	money.CPU:     {containers, "Reserved CPU", "Core-Hours"},
	money.Memory:  {containers, "Reserved Memory", "GiB-Hours"},
	money.Replica: {containers, "Running Tasks", "Task-Hours"},
	money.Storage: {volumes, "Declared Volume Size", "GiB-Hours"},
	money.Egress:  {network, "Egress", "GiB"},
}
