package emulator_test

import (
	"encoding/json"
	"net/http"
	"slices"
)

// What EKS answers and the emulator does not, in the wire form of Amazon EKS's API reference (restJson1).

// releases are those of vpc-cni that EKS lists for any version of Kubernetes, the newest first.
func releases() []string {
	return []string{"v1.19.0-eksbuild.1", "v1.18.5-eksbuild.1", "v1.18.0-eksbuild.1", "v1.17.1-eksbuild.1"}
}

func describeAddonVersions(f *front) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		versions := []any{}
		for _, v := range releases() {
			versions = append(versions, map[string]any{"addonVersion": v, "architecture": []string{"amd64", "arm64"}, "compatibilities": []any{map[string]any{
				"clusterVersion": r.URL.Query().Get("kubernetesVersion"), "platformVersions": []string{"*"}, "defaultVersion": v == releases()[0],
			}}})
		}
		f.say(w, map[string]any{"addons": []any{map[string]any{
			"addonName": r.URL.Query().Get("addonName"), "type": "networking", "owner": "aws", "publisher": "eks", "addonVersions": versions,
		}}})
	}
}

func describeAddonConfiguration(f *front) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f.say(w, map[string]any{
			"addonName": r.URL.Query().Get("addonName"), "addonVersion": r.URL.Query().Get("addonVersion"),
			"configurationSchema": `{"$schema":"http://json-schema.org/draft-06/schema#","additionalProperties":false,"properties":{"env":{"type":"object"}}}`,
		})
	}
}

func listFargateProfiles(f *front) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		f.say(w, map[string]any{"fargateProfileNames": []string{}})
	}
}

func listUpdates(f *front) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ids := []string{}
		for _, u := range f.updatesOf(r.PathValue("cluster")) {
			ids = append(ids, u.ID)
		}
		f.say(w, map[string]any{"updateIds": ids})
	}
}

func describeUpdate(f *front) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		all := f.updatesOf(r.PathValue("cluster"))
		i := slices.IndexFunc(all, func(u update) bool { return u.ID == r.PathValue("update") })
		if i < 0 {
			w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
			w.WriteHeader(http.StatusNotFound)
			f.say(w, map[string]any{"message": "No update found for ID: " + r.PathValue("update")})
			return
		}
		f.say(w, map[string]any{"update": all[i]})
	}
}

func (f *front) say(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		f.Errorf("answer in JSON: %v", err)
	}
}
