package world

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// filtered are the items that every filter lets through. The keys say what a filter of a name looks at.
func filtered[T any](items []T, filters []types.Filter, keys map[string]func(T) string) ([]T, error) {
	for _, f := range filters {
		key := keys[aws.ToString(f.Name)]
		if key == nil {
			return nil, badFilter(f)
		}
		items = slices.DeleteFunc(items, func(one T) bool {
			return !slices.ContainsFunc(f.Values, func(value string) bool { return matches(value, key(one)) })
		})
	}
	return items, nil
}

// matches follows the wildcards of filters: * is any characters, ? is one or none (EC2 user guide, "Find your Amazon EC2 resources").
func matches(value, key string) bool {
	if !strings.ContainsAny(value, "*?") {
		return value == key
	}
	pattern := strings.NewReplacer(`\*`, ".*", `\?`, ".?").Replace(regexp.QuoteMeta(value))
	return regexp.MustCompile("^" + pattern + "$").MatchString(key)
}

func badFilter(f types.Filter) error {
	return modelled("ec2", "InvalidParameterValue", "The filter '"+aws.ToString(f.Name)+"' is invalid")
}

// asked is which page of an answer is asked for.
type asked struct {
	token   *string
	results *int32
	most    int // results in a page
}

// pageOf cuts a page out of the items. MaxResults is from 5 to most: EC2's API model; what EC2 says to others is in aws-sdk-ruby #2575.
func pageOf[T any](w *World, items []T, page asked) ([]T, *string, error) {
	if n := page.results; n != nil && (*n < 5 || int(*n) > page.most) {
		return nil, nil, modelled("ec2", "InvalidParameterValue", fmt.Sprintf("Value ( %d ) for parameter maxResults is invalid. Expecting a value from 5 to %d.", *n, page.most))
	}
	from, until, next, err := w.page(len(items), page.token, page.results, page.most)
	if err != nil {
		return nil, nil, err
	}
	return items[from:until], next, nil
}
