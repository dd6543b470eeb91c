package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/google/uuid"

	"muster"
	"muster/exports"
	"muster/problem"
)

// exportOutput answers with an export as it is.
type exportOutput struct{ Body exports.Export }

type exportsBody struct {
	Exports []exports.Export `json:"exports"`
	Next    *string          `json:"next"`
}

type exportPath struct {
	ID string `path:"id"`
}

// exportID reads the id of an export; what is none names no export.
func exportID(text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return id, &muster.Error{Code: muster.NotFound, Detail: "there is no export " + text + " in this project"}
	}
	return id, nil
}

func (s *server) registerExports(api huma.API) {
	post(s, api, "/exports", "Export a dataset", func(ctx context.Context, in *struct {
		Body struct {
			Dataset    string   `json:"dataset" doc:"members"`
			Segment    string   `json:"segment"`
			Attributes []string `json:"attributes,omitempty" doc:"columns besides the ids, in this order"`
			Format     string   `json:"format,omitempty" doc:"parquet"`
		}
	},
	) (*exportOutput, error) {
		project := projectOf(ctx)
		if in.Body.Segment != "" {
			if _, err := s.Segments.Get(ctx, project.ID, in.Body.Segment); err != nil {
				return nil, err
			}
		}
		e, err := s.Exports.Create(ctx, project.ID, exports.Request{
			Dataset: in.Body.Dataset, Segment: in.Body.Segment, Attributes: in.Body.Attributes, Format: in.Body.Format,
		})
		if err != nil {
			return nil, err
		}
		return &exportOutput{e}, nil
	}, status(http.StatusAccepted))
	get(s, api, "/exports", "List the exports, the newest first", func(ctx context.Context, in *struct {
		Cursor string `query:"cursor"`
		Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	},
	) (*struct{ Body exportsBody }, error) {
		page, err := s.Exports.List(ctx, projectOf(ctx).ID, in.Cursor, in.Limit)
		if err != nil {
			return nil, err
		}
		return &struct{ Body exportsBody }{exportsBody{page.Exports, page.Next}}, nil
	})
	get(s, api, "/exports/{id}", "Read how far an export is", func(ctx context.Context, in *exportPath) (*exportOutput, error) {
		id, err := exportID(in.ID)
		if err != nil {
			return nil, err
		}
		e, err := s.Exports.Get(ctx, projectOf(ctx).ID, id)
		if err != nil {
			return nil, err
		}
		return &exportOutput{e}, nil
	})
	get(s, api, "/exports/{id}/files/{name}", "Download a file of an export, whole or in ranges", func(ctx context.Context, in *struct {
		ID   string `path:"id"`
		Name string `path:"name"`
	},
	) (*huma.StreamResponse, error) {
		id, err := exportID(in.ID)
		if err != nil {
			return nil, err
		}
		f, file, err := s.Exports.Open(ctx, projectOf(ctx).ID, id, in.Name)
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			defer f.Close()
			g := humagin.Unwrap(hc)
			info, err := f.Stat()
			if err != nil {
				problem.Write(g.Writer, err)
				return
			}
			g.Header("Content-Type", "application/octet-stream")
			g.Header("Content-Disposition", `attachment; filename="`+file.Name+`"`)
			if file.SHA256 != "" {
				g.Header("ETag", `"`+file.SHA256+`"`)
			}
			http.ServeContent(g.Writer, g.Request, file.Name, info.ModTime(), f)
		}}, nil
	})
}
