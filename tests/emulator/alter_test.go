package emulator_test

import (
	"maps"
	"reflect"
	"regexp"
)

// nameRegion puts a region where conditions refer to their own.
func nameRegion(template map[string]any, region string) (changed int) {
	return everywhere(template["Conditions"], func(_ string, value any) any {
		if reflect.DeepEqual(value, map[string]any{"Ref": "AWS::Region"}) {
			return region
		}
		return value
	})
}

// nameSessions puts the sessions of a role wherever its ARN is wanted of aws:PrincipalArn.
func nameSessions(template map[string]any, _ string) (changed int) {
	arn := regexp.MustCompile(`^(arn:[^:]+):iam::([^:]*):role/(.*)$`)
	return everywhere(template, func(key string, value any) any {
		if key != "aws:PrincipalArn" {
			return value
		}
		return eachText(value, func(s string) string { return arn.ReplaceAllString(s, "$1:sts::$2:assumed-role/$3/*") })
	})
}

// permitOnClusters puts the cluster in place of what is in it.
func permitOnClusters(template map[string]any, _ string) (changed int) {
	inside := regexp.MustCompile(`^(arn:[^:]+:eks:.*):(addon|nodegroup|fargateprofile)/.*$`)
	return everywhere(template, func(key string, value any) any {
		if key != "Resource" {
			return value
		}
		return eachText(value, func(s string) string { return inside.ReplaceAllString(s, "$1:cluster/*") })
	})
}

// forget takes a key that the emulator does not know out of the conditions of what is allowed. A denial with it never applies.
func forget(key string) func(map[string]any, string) int {
	return func(template map[string]any, _ string) (changed int) {
		return everywhere(template, func(_ string, value any) any {
			statement, _ := value.(map[string]any)
			condition, conditional := statement["Condition"].(map[string]any)
			if !conditional || statement["Effect"] != "Allow" {
				return value
			}
			statement = maps.Clone(statement)
			statement["Condition"] = without(key, condition)
			return statement
		})
	}
}

func without(key string, condition map[string]any) map[string]any {
	rest := map[string]any{}
	for operator, keys := range condition {
		keys, _ := keys.(map[string]any)
		keys = maps.Clone(keys)
		delete(keys, key)
		rest[operator] = keys
	}
	return rest
}

// everywhere puts in a tree of JSON what change makes of each value, and says how many it changed. The key of a list's items is
// empty.
func everywhere(tree any, change func(key string, value any) any) (n int) {
	replace := func(key string, value any, put func(any)) {
		now := change(key, value)
		if !reflect.DeepEqual(now, value) {
			put(now)
			n++
		}
		n += everywhere(now, change)
	}
	switch tree := tree.(type) {
	case map[string]any:
		for key, value := range tree {
			replace(key, value, func(now any) { tree[key] = now })
		}
	case []any:
		for i, value := range tree {
			replace("", value, func(now any) { tree[i] = now })
		}
	}
	return n
}

// eachText is a tree of JSON with what change makes of each text.
func eachText(tree any, change func(string) string) any {
	switch tree := tree.(type) {
	case string:
		return change(tree)
	case map[string]any:
		all := map[string]any{}
		for key, value := range tree {
			all[key] = eachText(value, change)
		}
		return all
	case []any:
		all := make([]any, len(tree))
		for i, value := range tree {
			all[i] = eachText(value, change)
		}
		return all
	}
	return tree
}
