function bytes = readBytes(file)
%READBYTES  All bytes of a file, as a column of uint8.
    [fid, message] = fopen(file, 'r');
    if fid < 0
        error('recordings:read', 'cannot read %s: %s', file, message);
    end
    closing = onCleanup(@() fclose(fid));
    bytes = fread(fid, Inf, '*uint8');
end
