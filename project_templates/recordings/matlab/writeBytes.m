function writeBytes(file, bytes)
%WRITEBYTES  Write bytes (or plain text) to a file, and see that all of them arrived.
    [fid, message] = fopen(file, 'w');
    if fid < 0
        error('recordings:write', 'cannot write %s: %s', file, message);
    end
    fwrite(fid, uint8(bytes), 'uint8');
    fclose(fid);
    written = dir(file);
    if written.bytes ~= numel(bytes)  % a full disk is not always an error of fwrite
        error('recordings:write', 'only %d of %d bytes could be written to %s', ...
            written.bytes, numel(bytes), file);
    end
end
