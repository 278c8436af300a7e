-- Questions of annotations as vectors: what annotation reply compares new questions with. A row can be made again from
-- the annotation and the embedding model at any time; `question_md5` tells when it has to be.
CREATE TABLE dify_rs_annotation_vectors (
    app_id uuid NOT NULL,
    -- dataset_collection_bindings.id: the embedding model.
    binding_id uuid NOT NULL,
    annotation_id uuid NOT NULL,
    question_md5 text NOT NULL,
    -- Little-endian f32, of length 1.
    vector bytea NOT NULL,
    PRIMARY KEY (app_id, binding_id, annotation_id)
);
