package event_test

import (
	"strings"
	"testing"

	"github.com/cniguard/cniguard/internal/event"
)

// Facts 1.6/item, 1.6/oversized.
func TestItemsOfConfig(t *testing.T) {
	const (
		addon = "config-addon.json"
		why   = "Config AWS::EKS::Addon"
		item  = "detail.configurationItem"
	)
	for title, v := range map[string]variant{
		"only the item has the ARN": {sample: addon, field: "resources", value: []string{},
			kind: event.Check, why: why, id: prodEU},
		"only resources has the ARN": {sample: addon, field: item + ".ARN",
			kind: event.Check, why: why, id: prodEU},
		"the add-on is gone": {sample: addon, field: item + ".configuration",
			kind: event.Check, why: why, id: prodEU},
		"resources has no ARN of EKS, and the item has": {sample: addon, field: "resources", value: []string{"x"},
			kind: event.Check, why: why, id: prodEU},
		"a node group has changed": {sample: addon, field: item + ".resourceType", value: "AWS::EKS::Nodegroup",
			kind: event.Skip, why: `other resource: "AWS::EKS::Nodegroup"`},

		"the item is missing, as where it is too large": {sample: addon, field: item,
			err: item + ".resourceType: want a type of resource, have nothing"},
		"the item is a list":     {sample: addon, field: item, value: []int{1}, err: item + ": want an object, have a list"},
		"the ARN is a number":    {sample: addon, field: item + ".ARN", value: 1, err: item + ".ARN: want a string, have a number"},
		"the type is an object":  {sample: addon, field: item + ".resourceType", value: struct{}{}, err: item + ".resourceType: want a string, have an object"},
		"the detail is missing":  {sample: addon, field: "detail", err: "detail: want an object, have nothing"},
		"the resources are none": {sample: addon, field: "resources", value: []string{foreign.ARN()}, err: "resources: want ARNs of EKS of 111122223333 in eu-central-1"},
	} {
		t.Run(title, v.run)
	}
}

func TestAnItemWithoutAnARNIsAHintForItsRegion(t *testing.T) {
	raw := strings.ReplaceAll(string(read(t, "config-addon.json")), "arn:aws:eks", "none")
	have, err := event.Decode([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	if have.Kind != event.Sweeping || have.Unit != member || !have.Faint {
		t.Errorf("have %+v", have)
	}
}
